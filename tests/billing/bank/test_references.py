"""References and account numbers: made and checked by the remainder of 97, found whatever their spacing."""

from hypothesis import given
from hypothesis import strategies as st

from billing.bank.lines import Entry, mark_of
from billing.bank.matching import Known, decide, sought_in
from billing.bank.references import is_reference, make_reference, references_in, shown, slips_of
from billing.iban import iban_fault, is_bic
from core.ids import new_id

BODIES = st.text("0123456789", min_size=12, max_size=12)
SPACES = st.lists(st.sampled_from(["", " ", "  ", "-", "/", "."]), min_size=16, max_size=16)
EXAMPLES = ("DE89370400440532013000", "GB82WEST12345698765432", "FR1420041010050500013M02606", "NO9386011117947",
            "BE68539007547034", "NL91ABNA0417164300")  # fmt: skip


def test_the_example_of_the_standard_checks() -> None:
    assert is_reference("RF18539007547034") and not is_reference("RF19539007547034")
    assert make_reference("539007547034") == "RF18539007547034"


def test_account_numbers_of_the_standards_check_and_others_do_not() -> None:
    assert [iban_fault(one) for one in EXAMPLES] == [""] * len(EXAMPLES)
    assert iban_fault("DE89370400440532013001") and iban_fault("DE8937040044053201300") and iban_fault("nothing")
    assert is_bic("COBADEFF") and is_bic("COBADEFFXXX") and not is_bic("COBA") and not is_bic("COBADEFFXX")


@given(BODIES, SPACES, st.text(" ,;:abcdefg", max_size=20))
def test_a_reference_is_found_whatever_its_spacing_and_case(body: str, spaces: list[str], around: str) -> None:
    reference = make_reference(body)
    written = "".join(a + b for a, b in zip(reference, spaces, strict=True))

    assert reference in references_in(f"{around} {written.lower()} {around}")
    assert reference in references_in(shown(reference))


@given(BODIES, st.integers(2, 15), st.integers(0, 9))
def test_a_slip_is_suggested_and_never_found(body: str, place: int, digit: int) -> None:
    reference = make_reference(body)
    wrong = reference[:place] + str(digit) + reference[place + 1 :]
    if wrong == reference:
        return

    assert reference not in references_in(wrong) and reference in slips_of(wrong)


@given(BODIES, st.integers(2, 14))
def test_two_digits_turned_round_are_suggested(body: str, place: int) -> None:
    reference = make_reference(body)
    wrong = reference[:place] + reference[place + 1] + reference[place] + reference[place + 2 :]

    assert wrong == reference or (not references_in(wrong) and reference in slips_of(wrong))


@given(BODIES, st.text(max_size=40), st.integers(1, 10**12), st.booleans())
def test_only_the_owner_of_a_reference_is_credited(body: str, text: str, minor: int, is_known: bool) -> None:
    reference, owner = make_reference(body), new_id()
    known = {reference: Known(new_id(), "EUR", owner)} if is_known else {}
    entry = Entry(1, minor, reference=reference, text=text)

    verdict = decide(entry, "EUR", {one: known[one] for one in sought_in(entry) if one in known})

    assert verdict.outcome == ("credit" if is_known else "suspense")
    assert not is_known or verdict.known.account_id == owner
    assert decide(Entry(1, -minor, reference=reference), "EUR", known).outcome == "suspense"


ENTRIES = st.builds(
    Entry, line=st.integers(1, 9), minor=st.integers(-99, 99), bank_reference=st.sampled_from(["", "NONREF", "A", "B"]),
    text=st.sampled_from(["", "x", "y"]), counterparty=st.sampled_from(["", "x"]),
)  # fmt: skip


@given(ENTRIES, ENTRIES)
def test_entries_of_one_mark_move_the_same_amount(one: Entry, other: Entry) -> None:
    if mark_of(one) == mark_of(other):
        assert one.minor == other.minor
    if (one.minor, one.bank_reference) == (other.minor, other.bank_reference) and one.bank_reference in ("A", "B"):
        assert mark_of(one) == mark_of(other), "the bank's reference is enough, whatever else a file tells"
