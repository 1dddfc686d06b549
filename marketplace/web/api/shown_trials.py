"""How a delivery that was tried looks from outside."""

from marketplace.leads.delivery.log import Sent
from marketplace.leads.delivery.trial import Trial
from marketplace.web.api.answers import FaultShown
from marketplace.web.api.answers_trials import TrialAnswer, TrialShown, TrialVerdict, WrittenRequest
from marketplace.web.api.shown import amount


def trial(made: Trial) -> TrialShown:
    """Show what was sent, what came back and what was read from it."""
    exchanged, attempt = made.exchanged, made.attempt
    return TrialShown(
        request=WrittenRequest(
            method=exchanged.method, url=exchanged.url, headers=exchanged.headers, body=exchanged.body
        ),
        answer=_answer(attempt, exchanged.answer) if attempt else None,
        verdict=_verdict(attempt, made.currency) if attempt else None,
        problems=[FaultShown(field=one.field, code=one.code, message=one.message) for one in made.problems],
    )


def _answer(attempt: Sent, body: str) -> TrialAnswer | None:
    if attempt.status is None:
        return None
    return TrialAnswer(status=attempt.status, milliseconds=attempt.milliseconds, body=body)


def _verdict(attempt: Sent, currency: str) -> TrialVerdict:
    verdict = attempt.verdict
    return TrialVerdict(
        outcome=verdict.outcome, reason=verdict.reason, reference=verdict.reference,
        price=None if verdict.price_minor is None else amount(verdict.price_minor, currency),
        redirect_url=verdict.redirect_url,
    )  # fmt: skip
