"""Numbered migrations, one thought each; a migration that has landed is never rewritten."""
