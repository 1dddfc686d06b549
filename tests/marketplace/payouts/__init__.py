"""Tests of payouts of the market, over HTTP and on pages."""
