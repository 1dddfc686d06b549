"""Tests of money in by bank transfer."""
