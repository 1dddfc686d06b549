"""Monthly invoices and statements: what billing's lines are about, in the words of who buys and who sends leads."""
