"""The fixed words of printed documents, by layout and language: a document is worded for ever as at its issue.

They stand here and not among the pages' translations, which may be bettered at any time; a new wording is a new layout.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from core.money import Money


@dataclass(frozen=True, slots=True)
class Words:
    """What a document says in one language."""

    receipt: str
    credit_note: str
    number: str
    issued: str
    paid: str
    sent_back: str
    payment: str
    transaction: str
    vat_id: str
    seller: str
    payer: str
    what: str
    amount: str
    topped_up: str
    came_back: str
    went_back: str
    of: str
    total: str
    bank: str
    assigned: str
    taken_back: str
    taken_on: str
    card: str
    is_test: str
    note: str
    page: str
    decimal: str
    thousands: str

    def money(self, minor: int, currency: str) -> str:
        """Write an amount with its currency's code, exact to its last digit."""
        whole, point, rest = str(Money(minor, currency)).partition(".")
        return f"{f'{int(whole):,}'.replace(',', self.thousands)}{self.decimal if point else ''}{rest} {currency}"

    def day(self, at: datetime) -> str:
        """Write the day of an instant in UTC, wherever it was read; ISO 8601 is read alike in all languages."""
        return f"{at.astimezone(UTC):%Y-%m-%d}"


EN = Words(
    receipt="Receipt", credit_note="Credit note", number="Number", issued="Issued", paid="Paid",
    sent_back="Ordered back",
    payment="Payment", transaction="Transaction", vat_id="VAT id", seller="From", payer="To", what="What",
    amount="Amount",
    topped_up="Wallet top-up", came_back="Returned to the wallet: the refund could not be sent",
    went_back="Unused wallet money sent back", of="of {number}: {amount}", total="Total", bank="bank transfer",
    assigned="payment found to be yours", taken_back="transfer taken back by the bank",
    taken_on="Taken back",
    card="card", is_test="TEST MONEY: nothing was really paid.",
    note="Prepayment into a wallet. What is bought from it is invoiced when it is supplied.",
    page="Page {page} of {pages}", decimal=".", thousands=",",
)  # fmt: skip
FR = Words(
    receipt="Reçu", credit_note="Note de crédit", number="Numéro", issued="Émis le", paid="Payé le",
    sent_back="Restitution demandée le", payment="Paiement", transaction="Opération", vat_id="N° de TVA", seller="De",
    payer="À", what="Objet", amount="Montant", topped_up="Approvisionnement du portefeuille",
    came_back="Retour au portefeuille : remboursement non envoyé",
    went_back="Argent inutilisé du portefeuille restitué", of="sur {number} : {amount}", total="Total",
    bank="virement bancaire", assigned="paiement reconnu comme le vôtre", taken_back="virement repris par la banque",
    taken_on="Repris le", card="carte",
    is_test="ARGENT FICTIF : aucun paiement réel.",
    note="Prépaiement sur un portefeuille. Ce qui en est acheté est facturé lors de la fourniture.",
    page="Page {page} sur {pages}", decimal=",", thousands="\N{NO-BREAK SPACE}",
)  # fmt: skip
NL = Words(
    receipt="Ontvangstbewijs", credit_note="Creditnota", number="Nummer", issued="Opgemaakt", paid="Betaald",
    sent_back="Terugbetaling gevraagd", payment="Betaling", transaction="Boeking", vat_id="Btw-nummer", seller="Van",
    payer="Aan", what="Omschrijving", amount="Bedrag", topped_up="Opwaardering van de portemonnee",
    came_back="Terug in de portemonnee: de terugbetaling kon niet worden verstuurd",
    went_back="Ongebruikt geld uit de portemonnee terugbetaald", of="van {number}: {amount}", total="Totaal",
    bank="bankoverschrijving", assigned="betaling die van u bleek", taken_on="Teruggehaald",
    taken_back="overschrijving teruggehaald door de bank", card="kaart",
    is_test="TESTGELD: er is niets echt betaald.",
    note="Vooruitbetaling in een portemonnee. Wat ermee wordt gekocht, wordt bij levering gefactureerd.",
    page="Pagina {page} van {pages}", decimal=",", thousands=".",
)  # fmt: skip
WORDS = {1: {"en": EN, "fr": FR, "nl": NL}}


def words_of(layout: int, language: str) -> Words:
    """Return the words of a layout in a language, in English where it has none."""
    return WORDS[layout].get(language, EN)
