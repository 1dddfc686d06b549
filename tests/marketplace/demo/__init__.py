"""Tests of the sample market: its data, and the leads that it sends."""
