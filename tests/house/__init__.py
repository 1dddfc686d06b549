"""Tests of the house itself: floors, sizes, words, and documents that must stay true."""
