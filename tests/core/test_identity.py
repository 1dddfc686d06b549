"""Accounts, their people and their keys: each named fault at once, secrets only as hashes."""

from datetime import UTC, date, datetime
from time import monotonic

import pytest
from flask import Flask

from core.db import db, transaction
from core.errors import Conflict, Invalid, NotFound
from core.identity import (
    SCOPES_OF,
    Account,
    ApiKey,
    actor_for_key,
    forget_actor,
    get_account,
    keys_of,
    make_key,
    open_account,
    recall_actor,
    remembered_actor,
    revoke_key,
    sign_up,
    write_uses,
)  # fmt: skip
from core.ids import new_id

AT = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def buyer(app: Flask) -> Account:
    with transaction():
        account_id = open_account("buyer", " A buyer ", AT).id
    return get_account(account_id)


def test_an_account_of_an_unknown_kind_or_without_a_name_is_refused(app: Flask) -> None:
    with pytest.raises(Invalid) as refusal, transaction():
        open_account("thief", " ", AT)
    assert {fault.field for fault in refusal.value.faults} == {"kind", "name"}


def test_an_account_is_found_by_its_kind(buyer: Account) -> None:
    assert buyer.name == "A buyer" and get_account(buyer.id, "buyer") == buyer
    for account_id, kind in ((buyer.id, "publisher"), (new_id(), None)):
        with pytest.raises(NotFound):
            get_account(account_id, kind)


def test_a_user_has_one_address_whatever_its_capitals(buyer: Account) -> None:
    account_id = buyer.id
    db.session.rollback()
    with transaction():
        _, password = sign_up(account_id, "Ada@Example.com ", None, AT)
    assert len(password) >= 12
    with pytest.raises(Conflict), transaction():
        sign_up(account_id, "ada@example.COM", "long enough", AT)
    with pytest.raises(Invalid) as refusal, transaction():
        sign_up(account_id, "nobody", "short", AT)
    assert {fault.field for fault in refusal.value.faults} == {"email", "password"}
    stored = db.session.scalar(db.text("SELECT password_hash FROM core.users"))
    assert stored.startswith("$argon2id$") and password not in stored


def test_a_key_acts_for_its_account_until_it_is_revoked(buyer: Account) -> None:
    key, secret = make_key(buyer, "k", AT, {"orders:read"})
    db.session.commit()
    actor = actor_for_key(secret)
    assert actor is not None and (actor.account_id, actor.kind) == (buyer.id, "buyer")
    assert actor.scopes == {"orders:read"} and recall_actor(secret) == actor
    assert secret.encode() not in bytes(key.hash) and key.hint == secret[-4:]
    revoke_key(buyer.id, key.id, AT)
    db.session.commit()
    assert actor_for_key(secret) is None
    forget_actor(secret)
    assert recall_actor(secret) is None
    assert revoke_key(buyer.id, key.id, datetime(2027, 1, 1, tzinfo=UTC)).revoked_at == AT


def test_a_key_of_a_suspended_account_does_nothing(buyer: Account) -> None:
    _, secret = make_key(buyer, "k", AT)
    buyer.standing = "suspended"
    db.session.commit()
    assert actor_for_key(secret) is None


def test_a_key_is_good_as_long_as_its_account_is(buyer: Account) -> None:
    def is_good(key: ApiKey) -> bool:
        return bool(db.session.scalar(db.text("SELECT core.good_key(:key)"), {"key": key.id}))

    before, _ = make_key(buyer, "before", AT)
    assert is_good(before)
    buyer.standing = "suspended"
    db.session.commit()
    meanwhile, _ = make_key(buyer, "meanwhile", AT)
    assert not is_good(before) and not is_good(meanwhile)
    buyer.standing = "active"
    db.session.commit()
    assert is_good(before) and is_good(meanwhile)
    revoke_key(buyer.id, before.id, AT)
    assert not is_good(before) and is_good(meanwhile)


def test_a_key_may_not_do_more_than_its_account(buyer: Account) -> None:
    for scopes in ({"operate"}, {"orders:read", "leads:write"}, set()):
        with pytest.raises(Invalid):
            make_key(buyer, "k", AT, scopes)
    key, _ = make_key(buyer, "k", AT)
    assert set(key.scopes) == SCOPES_OF["buyer"] and keys_of(buyer.id) == [key]
    with pytest.raises(NotFound):
        revoke_key(new_id(), key.id, AT)


@pytest.mark.parametrize("secret", ["", "lb_", "\ud800", "x" * 100_000, "\0"])
def test_nonsense_is_nobodys_key(app: Flask, secret: str) -> None:
    assert actor_for_key(secret) is None


def test_a_key_says_on_which_day_it_was_last_used_and_is_written_once_a_day(buyer: Account) -> None:
    _, secret = make_key(buyer, "k", AT)
    db.session.commit()

    def written() -> tuple[date | None, str]:
        write_uses()
        row = db.session.execute(db.text("SELECT last_used_on, xmin::text FROM core.api_keys")).one()
        db.session.rollback()
        return row[0], row[1]

    unused = written()
    assert unused[0] is None
    assert recall_actor(secret) and (used := written())[0] == datetime.now(UTC).date()
    forget_actor(secret)
    assert recall_actor(secret) and actor_for_key(secret) and written() == used, "once a day"
    db.session.execute(db.text("UPDATE core.api_keys SET last_used_on = '2026-01-01'"))
    db.session.commit()
    assert recall_actor(secret) and written()[0] == date(2026, 1, 1), "a key in memory is not looked up"
    forget_actor(secret)
    assert recall_actor(secret) and written()[0] == used[0]


def test_a_key_is_remembered_for_an_hour(buyer: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    _, secret = make_key(buyer, "k", AT)
    db.session.commit()
    actor, now = recall_actor(secret), monotonic()
    monkeypatch.setattr("core.identity.keys.monotonic", lambda: now + 3590)
    assert remembered_actor(secret) == actor
    monkeypatch.setattr("core.identity.keys.monotonic", lambda: now + 3700)
    assert remembered_actor(secret) is None and recall_actor(secret) == actor
