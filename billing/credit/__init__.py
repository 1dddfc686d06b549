"""Credit lines: what a wallet may draw when its money does not suffice, what it owes, and how that is paid."""
