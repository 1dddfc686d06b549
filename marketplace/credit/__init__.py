"""Credit of buyers: what is usual by what they spend, who grants it, and what happens once it is overdue."""
