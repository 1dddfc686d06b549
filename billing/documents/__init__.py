"""Papers about money: numbered without gaps, unchangeable once issued, shown as data or as PDF of the same bytes for ever.

A document is written in the transaction of the posting that it is about, and holds everything that it shows.
"""
