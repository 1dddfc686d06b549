"""Statements as banks make them, from a few amounts: CAMT.053 with balances that add up, and CSV."""

from dataclasses import dataclass
from xml.sax.saxutils import escape

IBAN, BIC = "DE89370400440532013000", "COBADEFFXXX"  # the example of the standard
OTHER_IBAN = "GB82WEST12345698765432"


@dataclass(frozen=True)
class Told:
    """One entry: a signed amount in minor units and what stands beside it."""

    minor: int
    text: str = ""
    reference: str = ""
    bank: str = ""
    day: str = "2026-11-20"
    status: str = "BOOK"
    reversal: bool = False
    name: str = "Ada Example"
    parts: tuple["Told", ...] = ()
    told_parts: bool = True


def amount(minor: int) -> str:
    return f"{abs(minor) // 100}.{abs(minor) % 100:02d}"


def side(minor: int) -> str:
    return f"<CdtDbtInd>{'CRDT' if minor >= 0 else 'DBIT'}</CdtDbtInd>"


def details(told: Told, with_amount: bool) -> str:
    given = f'<Amt Ccy="EUR">{amount(told.minor)}</Amt>{side(told.minor)}' if with_amount else ""
    strd = f"<Strd><CdtrRefInf><Ref>{told.reference}</Ref></CdtrRefInf></Strd>" if told.reference else ""
    party = "Dbtr" if told.minor >= 0 else "Cdtr"
    own = f"<AcctSvcrRef>{told.bank}</AcctSvcrRef>" if told.bank and with_amount else ""
    return (
        f"<TxDtls><Refs>{own}<EndToEndId>NOTPROVIDED</EndToEndId></Refs>{given}"
        f"<RltdPties><{party}><Nm>{escape(told.name)}</Nm></{party}></RltdPties>"
        f"<RmtInf><Ustrd>{escape(told.text)}</Ustrd>{strd}</RmtInf></TxDtls>"
    )


def entry(told: Told, version: int = 2, currency: str = "EUR") -> str:
    status = f"<Sts><Cd>{told.status}</Cd></Sts>" if version >= 8 else f"<Sts>{told.status}</Sts>"
    bank = f"<AcctSvcrRef>{told.bank}</AcctSvcrRef>" if told.bank else ""
    turned = "<RvslInd>true</RvslInd>" if told.reversal else ""
    parts = "".join(details(one, with_amount=True) for one in told.parts) or details(told, with_amount=False)
    parts = parts if told.told_parts else ""
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount(told.minor)}</Amt>{side(told.minor)}{turned}{status}'
        f"<BookgDt><Dt>{told.day}</Dt></BookgDt>{bank}<NtryDtls>{parts}</NtryDtls></Ntry>"
    )


def balance(kind: str, minor: int) -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount(minor)}</Amt>{side(minor)}'
        "<Dt><Dt>2026-11-20</Dt></Dt></Bal>"
    )


def statement(*entries: Told, opening: int = 0, closing: int | None = None, iban: str = IBAN, name: str = "1",
              version: int = 2, balances: bool = True) -> str:  # fmt: skip
    moved = sum(one.minor for one in entries if one.status == "BOOK")
    ends = balance("OPBD", opening) + balance("CLBD", opening + moved if closing is None else closing)
    body = "".join(entry(one, version) for one in entries)
    return (
        f"<Stmt><Id>{name}</Id><Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>"
        f"{ends if balances else ''}{body}</Stmt>"
    )


def camt(*statements: str, version: int = 2, before: str = "") -> bytes:
    space = f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version:02d}"
    whole = f'<Document xmlns="{space}"><BkToCstmrStmt><GrpHdr/>{"".join(statements)}</BkToCstmrStmt></Document>'
    return f'<?xml version="1.0" encoding="UTF-8"?>{before}{whole}'.encode()


def sheet(*rows: str, head: str = "date;amount;currency;text;counterparty;id") -> bytes:
    return "\n".join([head, *rows, ""]).encode()
