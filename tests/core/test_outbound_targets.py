"""Targets: only the public internet, whatever its address is written like and whatever a name server says."""

import ssl
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.outbound import NoAnswer, Outbound, Request, calls
from core.outbound.addresses import is_public
from core.outbound.limits import LimitedSocket, Limits
from core.outbound.targets import read_target
from tests.core.endpoints import answers, certificate, running

CLOSED = Outbound(allow_private=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/", "ftp://hooks.example.com/", "file:///etc/passwd", "gopher://hooks.example.com/",
        "hooks.example.com", "//hooks.example.com/", "https://", "https:///path", "", "https:hooks.example.com",
        "https://user@hooks.example.com/", "https://user:pass@hooks.example.com/", "https://a.com@127.0.0.1/",
        "https://127.0.0.1/", "https://127.1/", "https://0x7f.1/", "https://0x7f000001/", "https://2130706433/",
        "https://0177.0.0.1/", "https://127.0.0.01/", "https://127.0.0.1./", "https://0/", "https://0.0.0.0/",
        "https://1.1.1.1.1/", "https://256.1.1.1/", "https://a.0x7f/", "https://１２７.0.0.1/", "https://127。0。0。1/",
        "https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/",
        "https://[::127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[64:ff9b:1::1]/", "https://[2002:7f00:1::]/",
        "https://[fe80::1]/", "https://[fe80::1%25eth0]/", "https://[fc00::1]/", "https://[ff02::1]/",
        "https://[2001:db8::1]/", "https://[fd00:ec2::254]/", "https://[::1/", "https://[nonsense]/",
        "https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.1.1/", "https://169.254.169.254/",
        "https://100.64.0.1/", "https://100.100.100.200/", "https://192.0.2.1/", "https://198.51.100.1/",
        "https://203.0.113.1/", "https://224.0.0.1/", "https://255.255.255.255/", "https://168.63.129.16/",
        "https://localhost/", "https://LOCALHOST./", "https://a.localhost/", "https://printer/", "https://nas.local/",
        "https://metadata.google.internal/", "https://1.0.0.127.in-addr.arpa/",
        "https://hooks.example.com:0/", "https://hooks.example.com:65536/", "https://hooks.example.com:abc/",
        "https://hooks.example.com:25/", "https://hooks.example.com:22/", "https://hooks.example.com:-1/",
        "https://hooks.example.com/\r\nX-Evil: 1", "https://hooks.example.com\r\n.evil.com/", "https://a b.com/",
        "https://hooks.example.com/a b", "https://hooks.example.com\\@127.0.0.1/", "\thttps://hooks.example.com/",
        "https://hooks.example.com/\0", "https://-.com/", "https://a..com/", "https://" + "a" * 64 + ".com/",
        "https://hooks.example.com/" + "a" * 2048, "https://hooks.example.com/\u2028", "https://\ud800.com/",
    ],
)  # fmt: skip
def test_what_can_never_be_a_target_is_refused_before_any_name_is_asked(url: str) -> None:
    with pytest.raises(NoAnswer) as none:
        CLOSED.check(url)
    assert none.value.code == "target_refused" and str(none.value).endswith(".")


@pytest.mark.parametrize(
    "url",
    ["https://hooks.example.com", "https://hooks.example.com./a?b=c#d", "HTTPS://Hooks.Example.Com:8443/",
     "https://1.1.1.1/", "https://[2606:4700::1111]/", "https://münchen.example/ä?ö=ü", "https://xn--mnchen-3ya.de/",
     "https://hooks.example.com:80/", "https://a_b.example.com/", "https://hooks.example.com:1024/%0d%0a"],
)  # fmt: skip
def test_an_ordinary_address_is_a_target(url: str) -> None:
    CLOSED.check(url)


def test_a_target_is_written_in_ascii_without_its_last_dot() -> None:
    target = read_target("https://München.example.:8443/ä?ö=1#x", allow_private=False)
    assert (target.host, target.port, target.path) == ("xn--mnchen-3ya.example", 8443, "/%C3%A4?%C3%B6=1")


@pytest.mark.parametrize("url", ["https://127.1/", "https://0x7f.1/", "https://a@b.com/", "https://a.com/\r\n"])
def test_what_reads_in_two_ways_is_refused_even_where_private_targets_are_allowed(url: str) -> None:
    with pytest.raises(NoAnswer):
        Outbound(allow_private=True).check(url)


@given(st.text(max_size=60))
def test_any_text_is_a_target_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://{text}/"):
        try:
            CLOSED.check(url)
        except NoAnswer as none:
            assert none.code == "target_refused"


@given(st.ip_addresses(v=4))
def test_no_more_addresses_are_public_than_python_thinks_global(address: IPv4Address) -> None:
    text = str(address)
    assert not is_public(text) or address.is_global
    assert is_public(f"::ffff:{text}") == is_public(text)


@pytest.mark.parametrize(
    "found",
    [["127.0.0.1"], ["1.1.1.1", "127.0.0.1"], ["169.254.169.254"], ["::1"], ["fe80::1%eth0"], ["::ffff:10.0.0.1"],
     ["1.1.1.1", "fd00::1"], ["nonsense"]],
)  # fmt: skip
def test_a_name_that_leads_inside_is_not_called(found: list[str]) -> None:
    with pytest.raises(NoAnswer) as none:
        Outbound(False, lambda _, __: found).send(Request("GET", "https://a.example/", {}), timeout_seconds=2)
    assert none.value.code == "target_refused"


def test_a_name_is_resolved_once_and_the_connection_goes_where_it_was_checked() -> None:
    """The second answer of such a name would be another host; there is no second question."""
    asked = []

    def rebind(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    with running(answers()) as endpoint:
        url = f"http://rebinding.example:{endpoint.port}/"
        assert Outbound(True, rebind).send(Request("GET", url, {}), timeout_seconds=10).status == 200
    assert asked == ["rebinding.example"]


def test_a_name_that_leads_inside_the_second_time_is_refused_then(monkeypatch: pytest.MonkeyPatch) -> None:
    turns, reached = iter([["1.1.1.1"], ["127.0.0.1"]]), []

    def refuse_connection(addresses: list[str], port: int, _: Limits) -> LimitedSocket:
        reached.extend(addresses)
        raise ConnectionRefusedError

    monkeypatch.setattr(calls, "open_socket", refuse_connection)
    turning = Outbound(False, lambda _, __: next(turns))
    for code in ("connection", "target_refused"):
        with pytest.raises(NoAnswer) as none:
            turning.send(Request("GET", "https://rebinding.example/", {}), timeout_seconds=5)
        assert none.value.code == code
    assert reached == ["1.1.1.1"]


def send_to(folder: Path, name: str, days_left: int, trusted: bool, called: str = "hooks.example.com") -> int:
    public, server = certificate(folder, name, days_left)
    trust = ssl.create_default_context(cafile=str(public)) if trusted else None
    with running(answers(), server) as endpoint:
        out = Outbound(True, lambda _, __: ["127.0.0.1"], trust)
        return out.send(Request("POST", f"https://{called}:{endpoint.port}/", {}, b"x"), timeout_seconds=10).status


def test_a_good_certificate_is_verified_by_the_name_though_the_address_is_pinned(tmp_path: Path) -> None:
    assert send_to(tmp_path, "hooks.example.com", 30, trusted=True) == 200
    assert send_to(tmp_path, "hooks.example.com", 30, trusted=True, called="hooks.example.com.") == 200


@pytest.mark.parametrize(
    ("name", "days_left", "trusted"),
    [("hooks.example.com", -1, True), ("hooks.example.com", 30, False), ("other.example.com", 30, True)],
    ids=["expired", "signed by itself", "of another name"],
)
def test_a_bad_certificate_ends_the_call_before_anything_is_sent(
    tmp_path: Path, name: str, days_left: int, trusted: bool
) -> None:
    with pytest.raises(NoAnswer) as none:
        send_to(tmp_path, name, days_left, trusted)
    assert none.value.code == "tls"


def test_a_server_that_speaks_no_tls_is_told_apart() -> None:
    with running(answers()) as endpoint, pytest.raises(NoAnswer) as none:
        Outbound(True).send(Request("GET", f"https://127.0.0.1:{endpoint.port}/", {}), timeout_seconds=2)
    assert none.value.code in ("tls", "timeout")
