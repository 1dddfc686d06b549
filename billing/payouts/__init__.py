"""Money out: where earners are paid, what is drafted for them, ordered, sent, and what became of each payout.

Whoever is above says who is paid, how much and when; here stands that it happens once, and that the books say so.
"""
