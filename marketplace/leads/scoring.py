"""The first points card: interest, channel and contact class add up to a score, and the score to a temperature."""

from typing import Literal, NamedTuple

from marketplace.leads.contact import ContactClass

Temperature = Literal["cold", "warm", "hot"]

# The nearer to a purchase, the more points; the three highest sum to 100.
INTEREST_POINTS = {"order": 50, "appointment": 42, "callback": 38, "call": 38, "estimate": 32, "request": 30,
                   "question": 22, "message": 20, "registration": 16, "download": 12, "subscription": 8}  # fmt: skip
# Search brings warm and hot leads, social cold and warm, word of mouth is warm and rare (domain D9, D22).
CHANNEL_POINTS = {"word_of_mouth": 30, "referral": 28, "direct": 28, "call": 28, "search": 25, "context": 22,
                  "webinar": 20, "exhibition": 16, "affiliate": 14, "social": 10, "email": 10, "banner": 8,
                  "flyer": 8, "sms": 8, "mailing": 6, "teaser": 5, "cold_call": 4, "other": 12}  # fmt: skip
CLASS_POINTS: dict[ContactClass, int] = {"interested": 20, "quick": 7, "registration": 4, "promotional": 0}

HOT_FROM, WARM_FROM = 75, 40


class Scored(NamedTuple):
    """A score from 0 to 100, its temperature, and the points that explain it."""

    score: int
    temperature: Temperature
    points: tuple[tuple[str, int], ...]


def score_of(interest: str, channel: str, contact_class: ContactClass) -> Scored:
    """Add up the points of a lead; KeyError for an interest, channel or class that the lists do not know."""
    by_interest, by_channel = INTEREST_POINTS[interest], CHANNEL_POINTS[channel]
    by_class = CLASS_POINTS[contact_class]
    score = by_interest + by_channel + by_class
    points = (
        (f"interest:{interest}", by_interest),
        (f"channel:{channel}", by_channel),
        (f"contact_class:{contact_class}", by_class),
    )
    return Scored(score, "hot" if score >= HOT_FROM else "warm" if score >= WARM_FROM else "cold", points)
