"""Bugs that ledgers had, as patches: each says what is wrong with it, and which test it turns red."""
