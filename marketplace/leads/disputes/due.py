"""What falls due in disputes: the machine's look, hearings, silent operators and silent appeals, one at a time.

Each is a transaction of its own, so that nobody's locks are held while the next one is decided.
"""

from datetime import datetime

from marketplace.leads.desk import desk
from marketplace.leads.disputes.appeal import decide_silent_appeal
from marketplace.leads.disputes.hearing import close_hearing, decide_for_silent_operator
from marketplace.leads.disputes.machine import judge_next


def judge_due(as_of: datetime) -> int:
    """Let the machine look at one dispute."""
    return judge_next(as_of, desk().vault, desk().intake.keys_of)


STEPS = {
    "disputes_judged": judge_due,
    "hearings_closed": close_hearing,
    "disputes_decided": decide_for_silent_operator,
    "appeals_decided": decide_silent_appeal,
}
