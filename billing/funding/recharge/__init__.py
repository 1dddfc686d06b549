"""Wallets that do not run dry: saved cards, automatic top-ups with them, and a warning while there is time.

What is asked of the processor goes through `billing.funding.calls` as every other call; an automatic top-up is a row of
`top_ups` that names a card, and its payment is booked as that of a payment page.
"""
