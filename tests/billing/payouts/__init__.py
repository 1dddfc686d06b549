"""Tests of money out: drafts, orders, transfers, files and their results, whatever fails between."""
