"""Leads in files by schedule: sales wait for a slot, each is in one file, a file is taken whole or tried again."""
