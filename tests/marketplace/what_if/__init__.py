"""Tests of what-if runs and of decisions run again by the day."""
