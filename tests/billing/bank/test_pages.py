"""The pages of bank transfers: a buyer's pro-formas, an operator's statements and what is done about suspense."""

import io
import json

import pytest
from click.testing import CliRunner

from billing import jobs as billing_jobs
from core.ids import show_id
from marketplace.cli import leadbourse
from tests.billing.bank.conftest import Counter
from tests.billing.bank.statements import IBAN, Told, camt, sheet, statement
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import Visitor, words_of

FORM = "/buyer/wallet/transfers"


@pytest.fixture
def visitor(counter: Counter) -> Visitor:
    return visitor_of(counter.market, counter.buyer)


@pytest.fixture
def operator(counter: Counter) -> Visitor:
    return visitor_of(counter.market, counter.market.make_operator())


def send(operator: Visitor, data: bytes, **fields: str) -> str:
    """Upload a file as an operator does, have it booked, and return the address of its own page."""
    answer = upload(operator, data, **fields)
    assert answer.status_code == 303, words_of(answer)
    billing_jobs.book_bank()
    return str(answer.headers["Location"])


def upload(operator: Visitor, data: bytes, **fields: str):
    form = {
        "csrf_token": operator.token("/operator/bank"),
        "file": (io.BytesIO(data), "a <b>file</b>.xml"),
        "account": "",
        **fields,
    }
    return operator.open("/operator/bank", "POST", form)


def test_a_buyer_asks_transfers_and_reads_that_it_came(counter: Counter, visitor: Visitor, operator: Visitor) -> None:
    made = visitor.send(FORM, amount="120,50", currency="EUR")
    assert made.status_code == 303
    page = visitor.read(made.headers["Location"])
    reference = page.xpath("//dt[text()='Reference']/following-sibling::dd[1]/code/text()")[0]
    assert page.xpath("//dt[text()='IBAN']/following-sibling::dd[1]/code/text()") == ["DE89 3704 0044 0532 0130 00"]
    assert "Example Exchange" in words_of(visitor.open(made.headers["Location"]))

    sheet_page = words_of(operator.open(send(operator, camt(statement(Told(12_050, f"thanks {reference.lower()}"))))))

    assert "Done: every line" in sheet_page and "Credited: 1" in sheet_page
    assert "Paid" in words_of(visitor.open(made.headers["Location"]))
    assert "Bank transfer" in words_of(visitor.open("/buyer/wallet")) and counter.available() == 12_050


@pytest.mark.parametrize("typed", ["", "0", "-5", "1e9", "10.001", "1000000.01", "<b>10</b>", "\u0661\u0660"])
def test_an_amount_that_cannot_be_asked_for_stays_at_its_field(counter: Counter, visitor: Visitor, typed: str) -> None:
    answer = visitor.send(FORM, amount=typed, currency="EUR")

    assert answer.status_code == 200 and 'id="amount-fault"' in answer.text
    assert counter.sql("SELECT FROM billing.pro_formas") == []


def test_nobody_reads_or_cancels_anothers_pro_forma(counter: Counter, visitor: Visitor) -> None:
    address = f"{FORM}/{show_id('pro', counter.ask(buyer=counter.market.make_buyer('0')).id)}"

    assert visitor.open(address).status_code == 404
    assert visitor.send(f"{address}/cancel", FORM).status_code == 404


def test_a_pro_forma_is_cancelled_and_an_old_one_called_old(counter: Counter, visitor: Visitor) -> None:
    address = f"{FORM}/{show_id('pro', counter.ask().id)}"
    counter.clock.advance(days=31)
    assert "more than 30 days old" in words_of(visitor.open(address))
    assert visitor.send(f"{address}/cancel", FORM).status_code == 303

    assert "Cancelled" in words_of(visitor.open(address))


def test_a_file_that_is_refused_is_told_and_stands_among_the_files(counter: Counter, operator: Visitor) -> None:
    answer = upload(operator, camt(statement(Told(1), closing=5)))

    assert answer.status_code == 200 and "0.04 EUR" in words_of(answer)
    assert "0.04 EUR" in words_of(operator.open("/operator/bank")) and "<b>file" not in answer.text


def test_a_sheet_is_imported_with_its_columns_and_its_bad_lines_are_told(counter: Counter, operator: Visitor) -> None:
    data = sheet("2026-11-20;1,00;x", "soon;1,00;y", head="Tag;Wert;Zweck")
    said = {"account": f"{IBAN} EUR", "columns": "date=Tag; amount=Wert; text=Zweck"}
    assert "Say which column" in words_of(upload(operator, data, account=f"{IBAN} EUR"))
    assert upload(operator, data, account=f"{IBAN} EUR", columns="when=Tag").status_code == 200

    page = words_of(operator.open(send(operator, data, **said)))

    assert "Cannot be read: 1" in page and "In suspense: 1" in page and "31.01.2026" in page


def test_an_operator_clears_up_what_is_left_in_suspense(counter: Counter, operator: Visitor) -> None:
    asked = counter.ask()
    slip = asked.reference[:-1] + str((int(asked.reference[-1]) + 1) % 10)
    send(operator, camt(statement(Told(60_000, slip))))
    [item] = counter.in_suspense()
    page = f"/operator/suspense/{show_id('txn', item.id)}"
    assert "A reference with a slip" in words_of(operator.open("/operator/suspense"))
    assert asked.reference[-4:] in words_of(operator.open(page)), "the slip is suggested, and not booked"

    bad = operator.send(page, kind="assign", amount="1", account="acc_nobody", reason="x")
    assert bad.status_code == 200 and 'id="account-fault"' in bad.text and 'value="acc_nobody"' in bad.text
    assert (
        operator.send(page, kind="assign", amount="100", account=counter.buyer.id, reason="a slip").status_code == 303
    )
    assert counter.available() == 10_000
    assert operator.send(page, kind="assign", account=counter.buyer.id, reason="all of it").status_code == 303
    assert "Waits for a second person" in words_of(operator.open(page)) and counter.available() == 10_000

    [way] = operator.read(page).xpath("//form[contains(@action, '/moves/')]/@action")[:1]
    operator.send(way, page, verb="confirm")
    assert "somebody else has to confirm" in words_of(operator.open("/operator/suspense"))
    other = visitor_of(counter.market, counter.market.make_operator())
    assert other.send(way, page, verb="confirm").status_code == 303
    assert counter.available() == 60_000 and "Nothing of it is left" in words_of(operator.open(page))


def test_an_operator_names_an_account_and_every_fault_of_it_is_told(counter: Counter, operator: Visitor) -> None:
    page = "/operator/bank/account"
    bad = operator.send(page, currency="XXX", payee="", iban="DE00", bic="1")
    assert [f'id="{name}-fault"' in bad.text for name in ("currency", "payee", "iban", "bic")] == [True] * 4

    kept = operator.send(page, currency="usd", payee="Example", iban="gb82 west 1234 5698 7654 32", bic="WESTGB2L")
    assert kept.status_code == 303 and "GB82 WEST 1234" in words_of(operator.open("/operator/bank"))


def test_buyers_and_strangers_see_nothing_of_the_bank(counter: Counter, visitor: Visitor) -> None:
    for page in ("/operator/bank", "/operator/suspense", "/operator/bank/account"):
        assert visitor.open(page).status_code == 403 and Visitor(counter.app).open(page).status_code in (302, 303)


def test_operators_are_told_of_a_file_that_leaves_something_over(counter: Counter) -> None:
    counter.bring(camt(statement(Told(100, "whose?"))))
    jobs = counter.sql("SELECT args FROM public.procrastinate_jobs WHERE task_name = 'bank.suspense'")

    assert len(jobs) == 1 and "import_id" in jobs[0][0]


def test_an_import_whose_worker_died_is_booked_by_the_next_round(counter: Counter, monkeypatch) -> None:
    asked = counter.ask()
    with monkeypatch.context() as patch:
        patch.setattr(Counter, "book", lambda *_: None)
        counter.bring(camt(statement(Told(100, asked.reference))))
    billing_jobs.book_bank()

    assert counter.available() == 100


def test_the_command_line_imports_and_tells_what_is_left(counter: Counter, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("marketplace.cli.running.running_app", counter.app.app_context)
    (tmp_path / "statement.xml").write_bytes(camt(statement(Told(100, "whose?"))))

    done = CliRunner().invoke(leadbourse, ["bank", "import", str(tmp_path / "statement.xml"), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["outcomes"] == {"suspense": 1}
    told = json.loads(CliRunner().invoke(leadbourse, ["bank", "suspense", "--json"]).stdout)["suspense"]
    assert [(one["left"], one["reason"]) for one in told] == [("1.00", "no_reference")]
    again = CliRunner().invoke(leadbourse, ["reconcile", "--json"])
    assert again.exit_code == 1 and json.loads(again.stdout)["suspense"]["EUR"]["left_minor"] == 100

    moved = CliRunner().invoke(leadbourse, ["bank", "move", told[0]["id"], "fees", "--reason", "a trifle"])
    assert moved.exit_code == 0, moved.output
    assert CliRunner().invoke(leadbourse, ["reconcile"]).exit_code == 0


def test_a_sheet_above_the_limit_is_agreed_to_by_another_operator(counter: Counter, operator: Visitor) -> None:
    rows = sheet(f"2026-11-20;600,00;{counter.ask().reference}", head="date;amount;text")
    page = send(operator, rows, account=f"{IBAN} EUR")
    assert "a second operator agrees or refuses" in words_of(operator.open(page)) and counter.available() == 0
    assert "credits that no balance proves" in words_of(operator.open("/operator/bank"))
    ways = operator.read("/operator/bank").xpath("//form[contains(@action, '/bank/imports/')]/@action")
    assert [way.rpartition("/")[2] for way in ways] == ["refuse"], "whoever brought it has no button to agree"
    agree = ways[0].replace("refuse", "agree")
    assert operator.send(agree, "/operator/bank").status_code == 403
    assert operator.send(agree.replace("agree", "ponder"), "/operator/bank").status_code == 404

    other = visitor_of(counter.market, counter.market.make_operator())
    assert other.send(agree, "/operator/bank").status_code == 303
    billing_jobs.book_bank()
    assert counter.available() == 60_000 and "Credited: 1" in words_of(operator.open(page))


def test_another_account_is_agreed_to_by_another_operator(
    counter: Counter, operator: Visitor, visitor: Visitor
) -> None:
    said = {"currency": "EUR", "payee": "Elsewhere", "iban": "GB82 WEST 1234 5698 7654 32", "bic": "WESTGB2L"}
    assert operator.send("/operator/bank/account", **said).status_code == 303
    told = words_of(operator.open("/operator/bank"))
    assert "Transfers in EUR to Elsewhere" in told and "leadbourse account create --kind operator" in told
    before = visitor.open(visitor.send(FORM, amount="10", currency="EUR").headers["Location"])
    assert "Example Exchange" in words_of(before), "until then transfers go where they went"
    [refuse] = operator.read("/operator/bank").xpath("//form[contains(@action, '/bank/accounts/')]/@action")

    other = visitor_of(counter.market, counter.market.make_operator())
    assert other.send(refuse.replace("refuse", "agree"), "/operator/bank").status_code == 303
    after = visitor.open(visitor.send(FORM, amount="10", currency="EUR").headers["Location"])
    assert "Elsewhere" in words_of(after) and "Nobody" not in words_of(after)
    log = counter.sql(
        "SELECT move FROM marketplace.events WHERE move LIKE '%name%' OR move LIKE '%account%' ORDER BY id"
    )
    assert [move for (move,) in log] == ["bank_account>asked", "asked>named"]


def test_an_operator_charges_what_the_bank_took_back_and_the_buyer_reads_it(
    counter: Counter, operator: Visitor, visitor: Visitor
) -> None:
    asked = counter.ask(20_000)
    counter.bring(camt(statement(Told(20_000, asked.reference, bank="A"))))
    counter.bring(camt(statement(Told(-20_000, asked.reference, reversal=True, bank="B"), opening=20_000)))
    [item] = counter.in_suspense()
    page = f"/operator/suspense/{show_id('txn', item.id)}"
    assert operator.send(page, kind="charge", account=counter.buyer.id, reason="the bank wrote").status_code == 303

    assert counter.available() == 0 and "Nothing of it is left" in words_of(operator.open(page))
    assert "Transfer taken back by the bank" in words_of(visitor.open("/buyer/wallet"))
    assert "transfer taken back by the bank" in words_of(visitor.open("/buyer/documents"))


def test_the_bank_is_a_place_of_the_operators_rail(operator: Visitor) -> None:
    assert operator.read("/operator/bank").xpath("//nav//a[@href='/operator/bank'][@aria-current='page']")
