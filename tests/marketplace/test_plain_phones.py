"""A plain number is told as the library tells it, for every country that the short way knows."""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberType

from marketplace.leads.plain_phones import plain_kind

KINDS = {PhoneNumberType.MOBILE: "mobile", PhoneNumberType.FIXED_LINE: "fixed"}
CODES = sorted(COUNTRY_CODE_TO_REGION_CODE)


def told_by_the_library(text: str) -> tuple[str | None, str]:
    try:
        number = phonenumbers.parse(text, "FR")
    except phonenumbers.NumberParseException:
        return None, ""
    e164 = f"+{number.country_code}{phonenumbers.national_significant_number(number)}"
    return KINDS.get(phonenumbers.number_type(number)), e164


@settings(max_examples=3000, deadline=None)
@given(st.sampled_from(CODES), st.from_regex(r"\A[0-9]{4,14}\Z"))
def test_any_digits_after_any_code(code: int, rest: str) -> None:
    text = f"+{code}{rest}"
    if kind := plain_kind(text):
        assert told_by_the_library(text) == (kind, text)


@settings(max_examples=2000, deadline=None)
@given(st.data(), st.sampled_from(CODES))
def test_numbers_of_every_kind_of_every_country(data: st.DataObject, code: int) -> None:
    metadata = PhoneMetadata.metadata_for_region(COUNTRY_CODE_TO_REGION_CODE[code][0], None)
    if metadata is None:
        return
    kinds = [metadata.mobile, metadata.fixed_line, metadata.voip, metadata.premium_rate, metadata.uan, metadata.pager]
    patterns = [kind.national_number_pattern for kind in kinds if kind and kind.national_number_pattern]
    rest = data.draw(st.from_regex(rf"\A(?:{'|'.join(patterns)})\Z".replace(r"\d", "[0-9]")))
    text = f"+{code}{rest}"
    if kind := plain_kind(text):
        assert told_by_the_library(text) == (kind, text)


@pytest.mark.parametrize(
    ("text", "kind"), [("+33612345678", "mobile"), ("+33123456789", "fixed"), ("+4915112345678", "mobile")]
)
def test_it_is_the_usual_way(text: str, kind: str) -> None:
    assert plain_kind(text) == kind


@pytest.mark.parametrize(
    "text", ["0612345678", "+33 612345678", "+330612345678", "+33912345678", "+12125550123", "+33６12345678"]
)
def test_whatever_is_not_plain_is_left_to_the_library(text: str) -> None:
    assert plain_kind(text) is None
