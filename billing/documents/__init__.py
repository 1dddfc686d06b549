"""Papers about money: numbered without gaps, unchangeable once issued, printed as the same bytes for ever.

A document is written in the transaction of the posting that it is about, and holds everything that it shows.
"""
