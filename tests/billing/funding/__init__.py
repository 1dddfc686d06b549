"""Money in by card, against the fake of Stripe that the real client talks to."""
