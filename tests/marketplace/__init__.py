"""Tests of the market: catalogue, orders, leads."""
