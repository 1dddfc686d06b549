"""Standing orders: what buyers want, at which price, within which limits."""
