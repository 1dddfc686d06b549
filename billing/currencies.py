"""In which currencies wallets are paid into by card, and lent to."""

CURRENCIES = ("EUR", "USD", "GBP", "CHF")
