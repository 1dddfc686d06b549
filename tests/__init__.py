"""The tests, in the mirror of the code."""
