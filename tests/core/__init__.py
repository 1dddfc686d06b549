"""Tests of core: the embedded database, schemas, processes."""
