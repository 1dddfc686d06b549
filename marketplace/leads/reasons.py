"""Why a well-formed lead was rejected: each code with the sentence that tells its publisher what to do."""

from core.sentences import sentences

REASONS: dict[str, str] = sentences(
    {
        "invalid_phone": "The phone number cannot be called: ask the person for it again, with its country prefix.",
        "invalid_email": "The e-mail address cannot receive mail: ask the person for it again.",
        "invalid_profile_link": "The profile link leads nowhere: send a full http or https link.",
        "consent_missing": "Send the consent's text and the instant at which the person gave it.",
        "consent_expired": "The consent is too old for this vertical: ask the person again before sending the lead.",
        "consent_from_future": "The consent is dated in the future: set the clock that dates it.",
        "test_contact_refused": "This exchange refuses example addresses and numbers reserved for fiction: "
        "send a real contact, or a lead with test: true to an exchange that accepts them.",
        "duplicate": "This person was sold here within the vertical's window: send each person once.",
        "publisher_paused": "This publisher is paused: ask an operator why before sending more.",
        "source_paused": "This source is paused, as too much of it was sent back: ask an operator to readmit it.",
        "test": "A test lead goes through everything and is never sold for money: send it again with test: false.",
    }
)
