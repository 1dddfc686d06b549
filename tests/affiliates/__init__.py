"""Tests of affiliates: publishers, their terms, what they earn."""
