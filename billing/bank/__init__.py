"""Money in by bank transfer: pro-formas with a reference, statements read and booked, and what becomes of suspense.

What reads and decides is pure. An entry of a statement has an identity, which is booked once; what nobody can explain
stands in suspense, of which an operator never moves more than is left.
"""
