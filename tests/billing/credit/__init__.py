"""Credit in the ledger: draws, debts, payments, the round, and what is stopped."""
