"""Invoices and statements: what a month moved in a wallet or for an earner, line by line out of the books.

A month is one of UTC by when its transactions occurred. Each transaction stands on one document of its side; one that
was posted after its month's document stands on the next.
"""
