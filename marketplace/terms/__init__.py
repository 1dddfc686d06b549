"""What the market says on publishers' terms: the figures that decide a tier, changes by operators, and who is told."""
