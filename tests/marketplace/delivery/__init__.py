"""Tests of what buyers receive and how their answers are read; no database, no network."""
