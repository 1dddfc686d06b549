"""The sample market: who takes part in the demonstration and what they send; all of it invented and seeded."""
