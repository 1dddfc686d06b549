"""The fixed words of printed invoices and statements, by layout and language: each reads for ever as at its issue.

A new wording is a new layout.
"""

from dataclasses import dataclass

from billing.documents.words import EN as EN_PAPER
from billing.documents.words import FR as FR_PAPER
from billing.documents.words import NL as NL_PAPER
from billing.documents.words import Words


@dataclass(frozen=True, slots=True)
class MonthWords:
    """What an invoice or a statement says in one language; `paper` is what all documents say."""

    paper: Words
    invoice: str
    statement: str
    period: str
    currency: str
    line: str
    day: str
    what: str
    reserve_until: str
    amount: str
    earned: str
    payable: str
    carried: str
    refers_to: str
    opening: str
    closing: str
    parts: str
    promo: str
    net: str
    vat: str
    gross: str
    reverse_charge: str
    no_vat: str
    invoice_note: str
    statement_note: str
    kinds: dict[str, str]

    def kind(self, code: str) -> str:
        """Return the word of a line's kind; one without a word of its own is shown as it is."""
        return self.kinds.get(code, code.replace("_", " "))


EN = MonthWords(
    paper=EN_PAPER, invoice="Invoice", statement="Statement (self-billing)", period="Period (UTC)", currency="Currency",
    line="No.", day="Day", what="What", reserve_until="Reserve until", amount="Amount", earned="Earned",
    payable="Payable", carried="Sum of this page", refers_to="on {number}", opening="Opening balance",
    closing="Closing balance", parts="payable {payable}, reserve {reserve}, owed {owed}", promo="Promotional credit",
    net="Net", vat="VAT {rate}", gross="With VAT", reverse_charge="Reverse charge: VAT is due by {who} ({number}).",
    no_vat="No VAT is stated.",
    invoice_note="The net was paid from the wallet, line by line, on the days stated. VAT, where there is any, is "
    "charged to the wallet on the day of issue.",
    statement_note="Made out by the customer in the supplier's name. Earned is what the lines are worth; payable is "
    "what they made ready to be paid out, or paid out. VAT, where there is any, becomes payable on the day of issue.",
    kinds={
        "sale": "Sale", "unpaid": "Not paid", "refund": "Taken back", "fee": "Fee", "fee_back": "Fee returned",
        "mature": "Reserve released", "clawback": "Debt netted", "compensate": "Compensation",
        "vat_statement": "VAT of the statement before", "payout": "Paid out",
        "payout_back": "Payout did not leave", "transfer_back": "Payout came back",
    },
)  # fmt: skip
FR = MonthWords(
    paper=FR_PAPER, invoice="Facture", statement="Relevé (autofacturation)", period="Période (UTC)", currency="Devise",
    line="N°", day="Jour", what="Objet", reserve_until="Réserve jusqu'au", amount="Montant", earned="Gagné",
    payable="À payer", carried="Total de cette page", refers_to="sur {number}", opening="Solde initial",
    closing="Solde final", parts="à payer {payable}, réserve {reserve}, dû {owed}", promo="Crédit promotionnel",
    net="Hors taxe", vat="TVA {rate}", gross="Toutes taxes comprises",
    reverse_charge="Autoliquidation : TVA due par {who} ({number}).", no_vat="Aucune TVA n'est indiquée.",
    invoice_note="Le montant hors taxe a été payé par le portefeuille, ligne par ligne, aux jours indiqués. La "
    "TVA éventuelle est débitée du portefeuille le jour de l'émission.",
    statement_note="Établi par le client au nom du fournisseur. Gagné : la valeur des lignes ; à payer : ce qu'elles "
    "ont rendu payable ou ce qui a été versé. La TVA éventuelle devient payable le jour de l'émission.",
    kinds={
        "sale": "Vente", "unpaid": "Non payé", "refund": "Repris", "fee": "Frais", "fee_back": "Frais rendus",
        "mature": "Réserve libérée", "clawback": "Dette compensée", "compensate": "Compensation",
        "vat_statement": "TVA du relevé précédent", "payout": "Versé",
        "payout_back": "Versement non parti", "transfer_back": "Versement revenu",
    },
)  # fmt: skip
NL = MonthWords(
    paper=NL_PAPER, invoice="Factuur", statement="Afrekening (factuur uitgereikt door afnemer)", period="Periode (UTC)",
    currency="Valuta", line="Nr.", day="Dag", what="Omschrijving", reserve_until="Reserve tot", amount="Bedrag",
    earned="Verdiend", payable="Uit te betalen", carried="Totaal van deze pagina", refers_to="op {number}",
    opening="Beginsaldo", closing="Eindsaldo", parts="uit te betalen {payable}, reserve {reserve}, verschuldigd {owed}",
    promo="Promotietegoed", net="Zonder btw", vat="Btw {rate}", gross="Met btw",
    reverse_charge="Btw verlegd naar {who} ({number}).", no_vat="Er is geen btw vermeld.",
    invoice_note="Het bedrag zonder btw is regel voor regel uit de portemonnee betaald, op de vermelde dagen. "
    "Eventuele btw wordt op de dag van uitgifte van de portemonnee afgeschreven.",
    statement_note="Opgemaakt door de afnemer namens de leverancier. Verdiend is wat de regels waard zijn; uit te "
    "betalen is wat zij betaalbaar maakten of wat werd uitbetaald. Eventuele btw wordt betaalbaar op de dag van "
    "uitgifte.",
    kinds={
        "sale": "Verkoop", "unpaid": "Niet betaald", "refund": "Teruggenomen", "fee": "Kosten",
        "fee_back": "Kosten terug", "mature": "Reserve vrijgegeven", "clawback": "Schuld verrekend",
        "compensate": "Vergoeding", "vat_statement": "Btw van de vorige afrekening", "payout": "Uitbetaald",
        "payout_back": "Uitbetaling niet vertrokken", "transfer_back": "Uitbetaling kwam terug",
    },
)  # fmt: skip
WORDS = {2: {"en": EN, "fr": FR, "nl": NL}}


def month_words_of(layout: int, language: str) -> MonthWords:
    """Return the words of a layout in a language, in English where it has none."""
    return WORDS[layout].get(language, EN)
