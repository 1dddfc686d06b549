"""Money in by card: top-ups on a hosted page, what the processor tells of them, its balance, refunds, chargebacks.

What is asked of the processor is first written down, then sent without a transaction, then its outcome recorded. What
it tells is never believed by itself: the object that it tells of is read again.
"""
