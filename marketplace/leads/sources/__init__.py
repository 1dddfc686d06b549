"""Sources: what a publisher registers who posts in another dialect, and how such a post becomes a lead."""
