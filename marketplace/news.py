"""What the market tells its accounts: the events of the public contract, and what the ids in them are ids of."""

from core.notifications import News

NEWS = News(
    events=(
        *("lead.sold", "lead.unsold", "lead.pending", "lead.rejected"),
        *("sale.delivered", "sale.disputed", "sale.returned", "sale.settled"),
        *("endpoint.paused", "endpoint.resumed", "order.mail_bounced", "order.file_not_taken"),
        *("sale.contact_late", "sale.follow_up_due", "order.paused", "source.warned", "source.paused"),
        *("conversion.approved", "conversion.rejected", "commission.reversed"),
        *("credit.overdue", "credit.paid"),
        *("terms.changed", "document.issued"),
        *("deal.accepted", "deal.full", "deal.ended", "deal.cancelled"),
        *("payout.sent", "payout.failed", "payout.rail_said", "payouts.waiting", "people.wanted", "bank.suspense"),
        *("wallet.low", "wallet.suspended", "wallet.readmitted", "books.wrong"),
    ),
    prefixes={
        "account": "acc",
        "click": "clk",
        "conversion": "cnv",
        "deal": "deal",
        "dispute": "dsp",
        "document": "doc",
        "lead": "lead",
        "order": "ord",
        "payout": "pay",
        "sale": "sale",
    },
)
