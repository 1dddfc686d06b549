"""What is sealed for one row opens for that row only, and not at all once a bit of it is changed."""

import os
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from core.crypto import Vault, secret_generations
from core.db import transaction

ROW, OTHER = UUID(int=1), UUID(int=2)
VAULT = Vault({1: os.urandom(32)})


@given(st.binary(max_size=200), st.uuids())
def test_what_was_sealed_opens(plain: bytes, row: UUID) -> None:
    sealed = VAULT.seal(plain, row)
    assert VAULT.open(sealed, 1, row) == plain
    assert len(plain) < 4 or plain not in sealed
    assert VAULT.seal(plain, row) != sealed


@given(st.binary(max_size=50), st.data())
def test_one_changed_bit_is_noticed(plain: bytes, data: st.DataObject) -> None:
    sealed = bytearray(VAULT.seal(plain, ROW))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ValueError, match="altered"):
        VAULT.open(bytes(sealed), 1, ROW)


def test_what_was_moved_to_another_row_or_cut_is_noticed() -> None:
    sealed = VAULT.seal(b"ada@example.com", ROW)
    for broken, row in ((sealed, OTHER), (sealed[:-1], ROW), (sealed[:12], ROW)):
        with pytest.raises(ValueError):
            VAULT.open(broken, 1, row)


def test_an_older_key_still_opens_what_it_sealed_and_the_newest_seals() -> None:
    old, new = os.urandom(32), os.urandom(32)
    sealed = Vault({1: old}).seal(b"x", ROW)
    both = Vault({1: old, 2: new})
    assert both.open(sealed, 1, ROW) == b"x" and both.generation == 2
    with pytest.raises(ValueError):
        Vault({1: new}).open(sealed, 1, ROW)


def test_a_secret_is_made_once(app: Flask) -> None:
    with transaction():
        first = secret_generations("a test's")
    with transaction():
        assert secret_generations("a test's") == first and set(first) == {1} and len(first[1]) == 32
        assert secret_generations("another") != first
