"""What orders judge a lead by, laid out from what was judged of it."""

from datetime import datetime
from uuid import UUID

import msgspec

from marketplace.catalog.places import Point
from marketplace.catalog.zones import zone_of
from marketplace.leads.matching import LeadFacts
from marketplace.leads.source_codes import public_codes
from marketplace.leads.validation import Judged
from marketplace.orders.filters import lead_fields
from marketplace.orders.periods import minute_of_week
from marketplace.orders.where import PLACE


def facts_of(
    judged: Judged, publisher_id: UUID, at: datetime, place: Point | None = None, least_minor: int = 0
) -> LeadFacts:
    """Return what orders may judge this publisher's lead of `at` by; `place` where it lives, if anybody asks.

    They bid `least_minor` at least, and what the publisher asks.
    """
    submission, contact = judged.submission, judged.contact
    asked = judged.min_price.minor if judged.min_price else 0
    fields = lead_fields(
        regions=judged.regions, channel=submission.channel, interest=submission.interest, score=judged.score,
        temperature=judged.temperature, contact_class=judged.contact_class,
        contact=msgspec.structs.asdict(contact), attributes=submission.attributes,
        source_name=submission.source.name, subs=submission.source.sub, hour=hour_of(submission.region, at),
        codes=public_codes(publisher_id, submission.source.name),
    )  # fmt: skip
    if place is not None:
        fields[PLACE] = place
    return LeadFacts(
        judged.regions, fields, judged.score, judged.temperature, judged.contact_class,
        exclusive_only=submission.exclusive_only,
        min_price_minor=max(least_minor, asked), asked_minor=asked, publisher_id=publisher_id,
    )  # fmt: skip


def hour_of(region: str, at: datetime) -> int | None:
    """Return the hour that the clock shows where a lead lives, None where several clocks do."""
    zone = zone_of(region)
    return None if zone is None else minute_of_week(zone, at) // 60 % 24
