"""The dialects that publishers may post in: each reads its own requests and answers in its own form, purely.

A dialect is a module with `read` and `answer` and a file of default fields, named in the table below.
"""

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.leads.dialects import adf, boberdoo, google, leadbyte, leadexec, leadprosper, leadspedia
from marketplace.leads.dialects.posted import Outcome, Posted, Reply, Request


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one vendor's posts are read and answered, and what the vendor calls the credentials that we give."""

    read: Callable[[Request], Posted]
    answer: Callable[[Outcome, str], Reply]
    numbers: tuple[str, ...]  # fields that carry the source's number, as `Posted.numbers` has them
    key: str
    methods: tuple[str, ...] = ("GET", "POST")


DIALECTS = {
    "leadspedia": Dialect(leadspedia.read, leadspedia.answer, ("lp_campaign_id",), "lp_campaign_key"),
    "leadprosper": Dialect(
        leadprosper.read, leadprosper.answer, ("lp_campaign_id", "lp_supplier_id"), "lp_key", ("POST",)
    ),
    "leadexec": Dialect(leadexec.read, leadexec.answer, ("VID", "LID"), "Password"),
    "leadbyte": Dialect(leadbyte.read, leadbyte.answer, ("campid",), "sid"),
    "boberdoo": Dialect(boberdoo.read, boberdoo.answer, ("TYPE",), "SRC"),
    "adf": Dialect(adf.read, adf.answer, (), "key", ("POST",)),
    "google": Dialect(google.read, google.answer, (), "google_key", ("POST",)),
}
META = "meta"  # its posts carry ids only: what they say is fetched (see sources/meta)

__all__ = ["DIALECTS", "META", "Dialect", "Outcome", "Posted", "Reply", "Request"]
