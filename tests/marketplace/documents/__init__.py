"""Tests of invoices and statements as buyers and publishers get them."""
