"""Leads by mail: to whom they may go, how a letter is sent, and what follows when it comes back."""
