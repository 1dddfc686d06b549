"""Phone numbers for the sample market: reserved for fiction, in a seeded order, none twice until all are used up."""

import re
from functools import cache
from random import Random
from typing import Literal, NamedTuple

# North American area codes in use; in each of them 555-0100 to 555-0199 are reserved for fiction.
_AREA_CODES = (
    "201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251 "
    "252 253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 318 "
    "319 320 321 323 325 330 334 336 337 339 347 351 352 360 361 386 401 402 404 405 406 407 408 409 410 412 413 "
    "414 415 417 419 423 425 432 434 435 440 443 469 478 479 480 484 501 502 503 504 505 507 508 509 510 512 513 "
    "515 516 517 518 520 530 540 541 551 559 561 562 563 567 570 571 573 574 580 585 586 601 602 603 605 606 607 "
    "608 609 610 612 614 615 616 617 618 619 620 623 626 630 631 636 641 646 650 651 660 661 662 678 682 701 702 "
    "703 704 706 707 708 712 713 714 715 716 717 718 719 720 724 727 731 732 734 740 754 757 760 763 765 770 772 "
    "773 774 775 781 785 786 801 802 803 804 805 806 808 810 812 813 814 815 816 817 818 828 830 831 832 843 845 "
    "847 848 850 856 857 858 859 860 862 863 864 865 870 878 901 903 904 906 907 908 909 910 912 913 914 915 916 "
    "917 918 919 920 925 928 931 936 937 940 941 947 949 951 952 954 956 970 971 972 973 978 979 980 985 989 "
)
Kind = Literal["mobile", "fixed", "fixed_or_mobile"]


class Range(NamedTuple):
    """A run of reserved numbers: what they begin with, how many digits follow, and which kind they count as here."""

    prefix: str
    digits: int
    kind: Kind


# Libraries that know number plans call the French fiction mobiles invalid; so the kinds are a table of our own.
RANGES = (
    Range("+3319900", 4, "fixed"),
    Range("+3326191", 4, "fixed"),
    Range("+3335301", 4, "fixed"),
    Range("+3346571", 4, "fixed"),
    Range("+3353649", 4, "fixed"),
    Range("+3363998", 4, "mobile"),
    *(Range(f"+1{code}55501", 2, "fixed_or_mobile") for code in re.findall(r"\d{3}", _AREA_CODES)),
)
HOW_MANY: int = sum(10**each.digits for each in RANGES)


class Number(NamedTuple):
    """A number in E.164 and its kind."""

    e164: str
    kind: Kind


def number_at(index: int, seed: int) -> Number:
    """Return the number at a place of the seed's order; the order begins anew after `HOW_MANY`."""
    place = _order(seed)[index % HOW_MANY]
    for each in RANGES:
        if place < 10**each.digits:
            return Number(f"{each.prefix}{place:0{each.digits}}", each.kind)
        place -= 10**each.digits
    raise AssertionError("every place lies in a range")


@cache
def _order(seed: int) -> tuple[int, ...]:
    places = list(range(HOW_MANY))
    Random(f"phones {seed}").shuffle(places)
    return tuple(places)
