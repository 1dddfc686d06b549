"""The market: leads bought and sold, and the application itself."""
