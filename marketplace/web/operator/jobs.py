"""The operator's jobs: what runs, waits and failed, who works, when clocks last struck, what has not left the house."""

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from core.actors import Person, page
from core.db import transaction
from core.errors import Conflict, Fault, Malformed
from core.job_desk import MOST, ROWS, failed_jobs, live_jobs, queue_counts, retry_job, slots, workers
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.reports.backlogs import backlogs
from marketplace.web.operator.routes import operator
from marketplace.web.words import Word

STATES = {
    "doing": Word("held", _l("Runs")),
    "todo": Word("neutral", _l("Waits")),
    "failed": Word("refused", _l("Failed")),
}
BACKLOGS = {
    "leads_waiting": _l("Leads that wait to be sent to buyers"),
    "leads_in_hand": _l("Leads that are being sent"),
    "webhooks_waiting": _l("News that waits to be sent to webhooks"),
}
HEARD_SECONDS = 20  # a worker that was silent longer is taken for dead


@operator.get("/jobs")
@page("operator")
def jobs(_: Person) -> str:
    """Show the queue, the clocks, the workers and the backlogs."""
    failed = failed_jobs(_before())
    return render_template(
        "marketplace/operator/jobs.html", counts=queue_counts(), live=live_jobs(), failed=failed[:ROWS],
        next_cursor=str(failed[ROWS - 1].id) if len(failed) > ROWS else None, workers=workers(), slots=slots(),
        backlogs=backlogs(), states=STATES, backlog_words=BACKLOGS, most=MOST, heard_seconds=HEARD_SECONDS,
    )  # fmt: skip


@operator.post("/jobs/<int(max=9223372036854775807):job>/retry")
@page("operator")
def retry(_: Person, job: int) -> Response:
    """Put a failed job back on the queue."""
    try:
        with transaction():
            retry_job(job)
        flash(
            gettext(
                "Job %(id)s is on the queue again: a worker tries it once. If that fails too, it stands here again.",
                id=job,
            )
        )
    except Conflict as refused:
        flash(refused.detail, "error")
    return redirect(url_for("operator.jobs"))


def _before() -> int | None:
    cursor = request.args.get("cursor")
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        fault = Fault("cursor", "bad_cursor", "Send a cursor that this list gave as next_cursor.")
        raise Malformed("bad_page", "This page cannot be shown.", [fault])
    return int(cursor)
