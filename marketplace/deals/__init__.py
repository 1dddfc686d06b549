"""Briefs, by which buyers ask for leads made for them, and deals, by which publishers promise to send some."""
