"""The journey of one lead, from its arrival to its sale and what follows."""
