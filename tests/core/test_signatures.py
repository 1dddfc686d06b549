"""Signatures that any library of Standard Webhooks accepts, and none that were altered, moved or kept."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.signatures import is_secret, make_secret, sign, verify

AT = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
SECRET = make_secret()


def test_the_published_vector_of_the_standards_libraries_comes_out() -> None:
    """The example of the reference libraries' documentation: this secret, id, time and body give this signature."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    headers = sign([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330, UTC), body)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }  # fmt: skip


@given(st.binary(max_size=200))
def test_what_is_signed_verifies(body: bytes) -> None:
    assert verify([SECRET], sign([SECRET], "del_1", AT, body), body, AT)


def test_either_secret_verifies_while_one_replaces_the_other() -> None:
    old, new = make_secret(), make_secret()
    headers = sign([new, old], "del_1", AT, b"{}")
    assert len(headers["webhook-signature"].split(" ")) == 2
    assert verify([old], headers, b"{}", AT) and verify([new], headers, b"{}", AT)
    assert verify([SECRET, old], headers, b"{}", AT) and not verify([SECRET], headers, b"{}", AT)


@pytest.mark.parametrize(
    "changed",
    [{"webhook-id": "del_2"}, {"webhook-timestamp": "1"}, {"webhook-timestamp": "x"}, {"webhook-timestamp": "9" * 40},
     {"webhook-timestamp": "²"}, {"webhook-signature": ""}, {"webhook-signature": "v1,"},
     {"webhook-signature": "v1a,x v2,y"}, {"webhook-signature": "é\ud800"}],
)  # fmt: skip
def test_an_altered_header_does_not_verify(changed: dict[str, str]) -> None:
    assert not verify([SECRET], sign([SECRET], "del_1", AT, b"{}") | changed, b"{}", AT)


def test_another_body_or_an_old_one_does_not_verify() -> None:
    headers = sign([SECRET], "del_1", AT, b"{}")
    assert not verify([SECRET], headers, b"{} ", AT)
    assert verify([SECRET], headers, b"{}", AT + timedelta(minutes=5))
    for late in (timedelta(minutes=6), timedelta(minutes=-6)):
        assert not verify([SECRET], headers, b"{}", AT + late)
    assert not verify([SECRET], {}, b"{}", AT)


def test_a_secret_has_24_to_64_bytes() -> None:
    for count in range(100):
        secret = "whsec_" + base64.b64encode(bytes(count)).decode()
        assert is_secret(secret) == (24 <= count <= 64)
    assert is_secret(make_secret()) and make_secret() != make_secret()
    for text in ("", "whsec_", SECRET[6:], SECRET + "\n", SECRET + "!", "whsk_" + SECRET[6:], "whsec_é"):
        assert not is_secret(text)


def test_what_cannot_be_signed_is_said() -> None:
    with pytest.raises(ValueError, match="full stop"):
        sign([SECRET], "a.b", AT, b"")
    with pytest.raises(ValueError, match="whsec_"):
        sign(["nonsense"], "a", AT, b"")
