"""Many threads that read a shape for the first time at once all get it: with msgspec alone the process crashed."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
FIRST_READING = """
import sys
from threading import Barrier, Thread
from core.schemas import convert, decode
from marketplace.leads.submission import Submission
from marketplace.orders.terms import OrderBody

sys.setswitchinterval(1e-6)
barrier, read = Barrier(16), []
LEAD = b'{"vertical": "education", "region": "FR", "contact": {"email": "a@example.com"}, "source": {"name": "x"}}'
ORDER = {"name": "o", "vertical": "education", "price": {"amount": "20.00", "currency": "EUR"}}

def one(number):
    barrier.wait()
    read.append(decode(LEAD, Submission) if number % 2 else convert(ORDER, OrderBody))

threads = [Thread(target=one, args=(number,)) for number in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(read) == 16
"""


def test_the_first_reading_may_be_many_at_once() -> None:
    for _ in range(10):
        ended = subprocess.run([sys.executable, "-c", FIRST_READING], cwd=PROJECT, capture_output=True, check=False)
        assert ended.returncode == 0, ended.stderr
