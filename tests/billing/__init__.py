"""Tests of billing: the ledger, its races, its audit."""
