"""Tests over HTTP alone, as a client of the exchange would go."""
