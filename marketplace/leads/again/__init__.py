"""Leads offered again: kept while consent and retention last, woken by orders that change, decided anew each time."""
