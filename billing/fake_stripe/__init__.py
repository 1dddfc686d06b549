"""Stripe without Stripe: a server that behaves as Stripe's test mode does, to which the real client talks.

Start it with `python -m billing.fake_stripe --port P --folder F --webhook-url URL`, or in tests with `running_fake`.
It is told what only a fake can be told through /_control (control.py), and made to fail by faults (faults.py). What it
cannot show is listed in docs/stripe.md.
"""

from billing.fake_stripe.keys import Keys, keys_of
from billing.fake_stripe.running import FakeStripe, running_fake

__all__ = ["FakeStripe", "Keys", "keys_of", "running_fake"]
