"""The fake as a process: its keys, its end, and what a kill at any point leaves."""

import os
import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import stripe

from billing.fake_stripe import FakeStripe, keys_of, running_fake
from tests.billing.fake_stripe.conftest import paid, until
from tests.billing.fake_stripe.referee import client


@contextmanager
def program(folder, *more: str, environment: dict[str, str] | None = None):
    process = subprocess.Popen(
        [sys.executable, "-m", "billing.fake_stripe", "--port", "0", "--folder", str(folder), "--verbose", *more],
        stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})},
    )  # fmt: skip
    try:
        yield process, FakeStripe(process.stdout.readline().strip(), keys_of(folder))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_keys_are_made_once_and_are_their_owners_alone(tmp_path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: keys_of(tmp_path / "new"), range(8)))

    assert len(made) == 1
    assert stat.S_IMODE((tmp_path / "new" / "keys.json").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["keys.json"]
    assert made.pop().secret_key.startswith("sk_test_")


def test_it_ends_cleanly_when_told_to(tmp_path) -> None:
    with program(tmp_path) as (process, fake):
        client(fake.url, fake.keys.secret_key).v1.customers.create()
        process.send_signal(signal.SIGTERM)
        assert (process.wait(20), process.stdout.read()) == (0, "")


def test_it_ends_with_a_supervisor_that_died(tmp_path) -> None:
    code = ("import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-m', 'billing.fake_stripe', '--port',"
            f" '0', '--folder', {str(tmp_path)!r}, '--verbose']); print(p.pid, flush=True); time.sleep(60)")  # fmt: skip
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "LEADBOURSE_SUPERVISED": "1"},
    )
    pid = int(parent.stdout.readline())
    assert parent.stdout.readline().startswith("http://")

    parent.kill()
    parent.wait()
    parent.stdout.close()

    until(lambda: not _lives(pid))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_two_cannot_work_on_one_folder(tmp_path) -> None:
    with running_fake(tmp_path), pytest.raises(SystemExit, match="another fake"), running_fake(tmp_path):
        pass


def test_a_kill_amid_requests_keeps_every_answer_that_was_given(tmp_path) -> None:
    given: list[tuple[str, str]] = []
    with program(tmp_path) as (process, fake):
        charge = paid(client(fake.url, fake.keys.secret_key)).id
        threading.Timer(0.7, process.kill).start()
        with ThreadPoolExecutor(4) as pool:
            for found in pool.map(lambda worker: _refund_until_killed(fake, charge, worker), range(4)):
                given += found
        process.wait()

    with program(tmp_path) as (_, fake):
        api = client(fake.url, fake.keys.secret_key)
        for key, refund in given:
            assert api.v1.refunds.create({"charge": charge, "amount": 1}, {"idempotency_key": key}).id == refund
        made = [one.id for one in api.v1.refunds.list({"charge": charge, "limit": 100}).auto_paging_iter()]
        assert len(made) == len(set(made)) and {refund for _, refund in given} <= set(made)
        assert api.v1.charges.retrieve(charge).amount_refunded == len(made) > 0
        assert api.v1.balance.retrieve().available[0].amount == 9_825 - len(made)


def _refund_until_killed(fake: FakeStripe, charge: str, worker: int) -> list[tuple[str, str]]:
    plain = stripe.StripeClient(fake.keys.secret_key, base_addresses={"api": fake.url}, max_network_retries=0)
    given: list[tuple[str, str]] = []
    for number in range(10_000):
        key = f"{worker}-{number}"
        try:
            refund = plain.v1.refunds.create({"charge": charge, "amount": 1}, {"idempotency_key": key})
        except stripe.APIConnectionError:
            break
        given.append((key, refund.id))
    return given
