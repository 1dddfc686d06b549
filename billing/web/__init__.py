"""Where the card processor calls us."""
