"""On which terms a publisher is paid: tiers, what is said for one account, versions, and how he rises and falls."""
