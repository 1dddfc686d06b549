"""How a bought lead is written for its buyer, and how the buyer's answer is read: values in, values out.

Nothing here asks a database, a network or a clock. Whoever delivers takes `request_of`, `mail_of` or `csv_of`, sends,
and hands status and body to `judged`.
"""
