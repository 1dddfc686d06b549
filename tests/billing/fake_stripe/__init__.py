"""Tests of the fake, and the referee that keeps it honest."""
