"""The words that lines of invoices and statements are kept with, by language: a line reads for ever as at its issue.

They stand here and not among the pages' translations, which may be bettered at any time.
"""

IN_WORDS = {
    "en": {
        "mistyped": "reaches nobody", "out_of_criteria": "outside the order's conditions", "duplicate": "had already",
        "prank": "prank", "competitor": "competitor or test", "bot": "robot", "hired": "paid to ask",
        "unreachable": "unreachable", "no_consent": "no consent",
    },
    "fr": {
        "mistyped": "ne joint personne", "out_of_criteria": "hors des critères de l'ordre",
        "duplicate": "déjà connu", "prank": "canular", "competitor": "concurrent ou test", "bot": "robot",
        "hired": "payé pour demander", "unreachable": "injoignable", "no_consent": "sans consentement",
    },
    "nl": {
        "mistyped": "bereikt niemand", "out_of_criteria": "buiten de voorwaarden van de order",
        "duplicate": "was al bekend", "prank": "grap", "competitor": "concurrent of test", "bot": "robot",
        "hired": "betaald om te vragen", "unreachable": "onbereikbaar", "no_consent": "geen toestemming",
    },
}  # fmt: skip
SAID = {
    "en": {
        "returned": "returned: {reason}", "refused": "refused by its buyer", "failed": "could not be delivered",
        "credited": "credited in part: {reason}", "compensated": "paid by the exchange: {reason}",
        "claimed": "claim rejected: {reason}", "late": "returned after settlement: {reason}", "source": "source {name}",
        "sub": "sub {number} {text}", "would": "would have paid {amount}", "posted": "Leads posted",
        "sold": "Leads sold", "unsold": "Leads not sold", "pending": "Leads waiting", "rejected": "Leads refused",
        "because": "Refused: {reason}", "aged": "aged, {days} days", "resold": "resold, {days} days",
        "after_return": "resold after a return ({reason}), {days} days",
    },
    "fr": {
        "returned": "retourné : {reason}", "refused": "refusé par l'acheteur", "failed": "n'a pas pu être livré",
        "credited": "crédité en partie : {reason}", "compensated": "payé par la bourse : {reason}",
        "claimed": "réclamation rejetée : {reason}", "late": "retourné après règlement : {reason}",
        "source": "source {name}", "sub": "sub {number} {text}", "would": "aurait rapporté {amount}",
        "posted": "Leads envoyés", "sold": "Leads vendus", "unsold": "Leads non vendus", "pending": "Leads en attente",
        "rejected": "Leads refusés", "because": "Refusés : {reason}", "aged": "ancien, {days} jours",
        "resold": "revendu, {days} jours", "after_return": "revendu après un retour ({reason}), {days} jours",
    },
    "nl": {
        "returned": "teruggegeven: {reason}", "refused": "geweigerd door de koper",
        "failed": "kon niet worden geleverd",
        "credited": "deels gecrediteerd: {reason}", "compensated": "betaald door de beurs: {reason}",
        "claimed": "claim afgewezen: {reason}", "late": "teruggegeven na afrekening: {reason}", "source": "bron {name}",
        "sub": "sub {number} {text}", "would": "zou {amount} hebben opgebracht", "posted": "Leads verstuurd",
        "sold": "Leads verkocht", "unsold": "Leads niet verkocht", "pending": "Leads in afwachting",
        "rejected": "Leads geweigerd", "because": "Geweigerd: {reason}", "aged": "ouder, {days} dagen",
        "resold": "doorverkocht, {days} dagen",
        "after_return": "doorverkocht na teruggave ({reason}), {days} dagen",
    },
}  # fmt: skip


def say(language: str, what: str, **parts: str) -> str:
    """Say something in a language, in English where it has no words."""
    return SAID.get(language, SAID["en"])[what].format(**parts)


def reason_in(language: str, code: str) -> str:
    """Return the words of a reason; one without words of its own is shown as it is."""
    return IN_WORDS.get(language, IN_WORDS["en"]).get(code, code.replace("_", " "))
