"""Phone numbers of the plainest kind, which need no library: E.164 in one piece, of a country with simple rules.

What is told here is read from the library's own patterns, as one expression a country; the library would say the same
(tested) and takes ten times as long.
"""

import re
from functools import cache
from typing import Literal

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberDesc

PlainKind = Literal["mobile", "fixed"]

_E164 = re.compile(r"\+(?P<code>7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])[1-9]\d{5,12}", re.ASCII)
# The library asks in this order and takes the first that fits, so a number of these is nobody's mobile or fixed one.
_BEFORE = ("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail")
_NEVER = "(?!)"


def plain_kind(text: str) -> PlainKind | None:
    """Tell the kind of a valid number in plain E.164; None when that is for the library to find out."""
    plain = _E164.fullmatch(text)
    pattern = _pattern_of(int(plain["code"])) if plain else None
    found = pattern.fullmatch(text, len(plain["code"]) + 1) if plain and pattern else None
    if found is None:
        return None
    return "mobile" if found.lastgroup == "mobile" else "fixed"


@cache
def _pattern_of(code: int) -> re.Pattern[str] | None:
    """Return what a country's mobile and fixed numbers look like, each of its own kind alone; None if it is not simple.

    Simple is a code of one country, where nothing but a zero is ever dialled before the number.
    """
    regions = COUNTRY_CODE_TO_REGION_CODE.get(code, ())
    metadata = PhoneMetadata.metadata_for_region(regions[0], None) if len(regions) == 1 else None
    if metadata is None or metadata.national_prefix_for_parsing not in (None, "0"):
        return None
    if metadata.national_prefix_transform_rule or metadata.same_mobile_and_fixed_line_pattern:
        return None
    before = "|".join(_described(getattr(metadata, name)) for name in _BEFORE)
    general, mobile, fixed = map(_described, (metadata.general_desc, metadata.mobile, metadata.fixed_line))
    return re.compile(
        rf"(?=(?:{general})\Z)(?!(?:{before})\Z)"
        rf"(?:(?!(?:{fixed})\Z)(?P<mobile>{mobile})|(?!(?:{mobile})\Z)(?P<fixed>{fixed}))",
        re.ASCII,
    )


def _described(kind: PhoneNumberDesc | None) -> str:
    """Write as one expression what the library holds of a kind of number: its lengths and its pattern."""
    if kind is None or not kind.national_number_pattern:
        return _NEVER
    lengths = "|".join(rf"\d{{{length}}}" for length in kind.possible_length)
    return (rf"(?=(?:{lengths})\Z)" if lengths else "") + f"(?:{kind.national_number_pattern})"
