"""Tests of posts in other dialects: over HTTP, with real orders and funds."""
