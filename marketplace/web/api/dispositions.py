"""Dispositions over HTTP: what the buyer reports of a sale."""

from datetime import datetime
from typing import Annotated

import msgspec

from core.http import Answer, body, business_clock, created, page_request, reads, writes
from core.identity import Actor
from core.ids import parse_id
from core.paging import page_of
from marketplace.leads.dispositions import Report, dispositions_of, report_disposition
from marketplace.leads.queries import get_sale
from marketplace.web.api import api, shown_contact
from marketplace.web.api.answers_contact import DispositionShown, LostReason, Status
from marketplace.web.api.described import describe

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Note = Annotated[str, msgspec.Meta(max_length=4000)]


class DispositionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happened with a sale, now unless `at` says when; `lost_reason` goes with lost."""

    status: Status
    at: Instant | None = None
    lost_reason: LostReason | None = None
    follow_up_at: Instant | None = None
    note: Note | None = None


@api.post("/sales/<sale_id>/disposition")
@writes("sales:write")
@describe(DispositionShown, takes=DispositionBody, status=201)
def post_disposition(actor: Actor, sale_id: str) -> Answer:
    """Report what happened with a sale; the same report again is answered 200 with the first."""
    said, now = body(DispositionBody), business_clock().now()
    report = Report(said.status, said.at or now, said.lost_reason, said.follow_up_at, said.note)
    row, new = report_disposition(actor.account_id, parse_id("sale", sale_id), report, actor.name, now)
    answer = shown_contact.disposition(row)
    return created(answer) if new else Answer(answer)


@api.get("/sales/<sale_id>/dispositions")
@reads("sales:read")
@describe(DispositionShown, pages=True)
def list_dispositions(actor: Actor, sale_id: str) -> Answer:
    """Show all that was reported of a sale, the latest report first."""
    sale, asked = get_sale(actor.account_id, parse_id("sale", sale_id)), page_request("disp")
    return Answer(page_of("disp", asked, lambda *page: dispositions_of(sale.id, *page), shown_contact.disposition))
