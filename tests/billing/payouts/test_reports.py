"""What a bank reports on a file (pain.002): of single payments, of a whole file, and what is no such report."""

from uuid import UUID

import pytest

from billing import take_payout_results
from core.db import transaction
from core.errors import Invalid
from tests.billing.payouts.conftest import ANNA, House
from tests.billing.payouts.test_files import make, two

__all__ = ["two"]


def report(body: str, *, version: str = "001.10") -> bytes:
    space = f"urn:iso:std:iso:20022:tech:xsd:pain.002.{version}"
    return f'<?xml version="1.0"?><Document xmlns="{space}"><CstmrPmtStsRpt><GrpHdr/>{body}</CstmrPmtStsRpt></Document>'.encode()


def payment(payout: UUID, status: str, why: str = "") -> str:
    reason = f"<StsRsnInf><Rsn><Cd>{why}</Cd></Rsn><AddtlInf>no such account</AddtlInf></StsRsnInf>" if why else ""
    return f"<TxInfAndSts><OrgnlEndToEndId>{payout.hex}</OrgnlEndToEndId><TxSts>{status}</TxSts>{reason}</TxInfAndSts>"


def take(house: House, raw: bytes) -> list[tuple[str, str]]:
    with transaction():
        found, _ = take_payout_results(raw, "sepa", "report.xml", ANNA, house.now)
        return [(one["outcome"], one.get("code", "")) for one in found.outcomes]


@pytest.mark.parametrize("version", ["001.03", "001.10"])
def test_what_a_bank_says_of_single_payments_is_booked(house: House, two, version: str) -> None:
    (first, good), (second, bad) = two
    make(house)
    batch = f"<OrgnlPmtInfAndSts><PmtInfSts>PART</PmtInfSts>{payment(good, 'ACSC')}{payment(bad, 'RJCT', 'AC01')}</OrgnlPmtInfAndSts>"

    assert take(house, report(batch, version=version)) == [("paid", ""), ("failed", "")]

    assert (house.cents(first), house.cents(second)) == ((0, 0, 10_000), (5_000, 0, 0))
    assert house.payout(bad).says == "AC01 no such account"


@pytest.mark.parametrize("where", ["group", "batch"])
def test_a_file_that_a_bank_refuses_whole_is_payable_again(house: House, two, where: str) -> None:
    (first, _), (second, _) = two
    file = make(house)
    body = (
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{file.hex}</OrgnlMsgId><GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts>"
        if where == "group"
        else f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{file.hex}</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts></OrgnlPmtInfAndSts>"
    )

    assert take(house, report(body)) == [("failed", "")] * 2
    assert (house.cents(first), house.cents(second)) == ((10_000, 0, 0), (5_000, 0, 0))


def test_a_file_that_is_only_accepted_waits(house: House, two) -> None:
    file = make(house)
    body = f"<OrgnlGrpInfAndSts><OrgnlMsgId>{file.hex}</OrgnlMsgId><GrpSts>ACTC</GrpSts></OrgnlGrpInfAndSts>"

    assert take(house, report(body)) == [("waits", "")] * 2


@pytest.mark.parametrize(
    "raw",
    [
        b"<Document/>", b"<a><b></a>", b'<!DOCTYPE a [<!ENTITY x "y">]><a/>', report(""),
        report("").replace(b"pain.002", b"pain.008"), b"<?xml version='1.0' encoding='no-such'?><a/>",
    ],
    ids=["nothing", "broken", "entities", "says nothing", "another message", "letters of nobody"],
)  # fmt: skip
def test_what_is_no_report_is_refused_whole(house: House, raw: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        take(house, raw)
    assert refused.value.code == "bad_results"
