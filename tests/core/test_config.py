"""Settings are read once, and one that cannot be read is named."""

from pathlib import Path

import pytest

from core.config import Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = Settings.read({})
    assert (settings.host, settings.port, settings.database_url) == ("127.0.0.1", 8000, None)
    assert settings.data_folder == Path("var").absolute()
    assert not (settings.refuse_test_contacts or settings.allow_private_targets or settings.metrics)


def test_the_environment_decides() -> None:
    settings = Settings.read(
        {
            "LEADBOURSE_DATA": "/srv/x",
            "DATABASE_URL": "postgresql://x",
            "PORT": "81",
            "LEADBOURSE_METRICS": "1",
            "HOST": "::",
        }
    )
    assert (settings.data_folder, settings.database_url) == (Path("/srv/x"), "postgresql://x")
    assert (settings.port, settings.metrics, settings.host) == (81, True, "::")


@pytest.mark.parametrize(
    ("name", "text"),
    [("PORT", "0"), ("PORT", "65536"), ("PORT", "http"), ("PORT", "²"), ("PORT", ""), ("LEADBOURSE_WEB_THREADS", "-1"),
     ("LEADBOURSE_POOL_SIZE", "1"), ("LEADBOURSE_WEB_PROCESSES", "1.5"), ("LEADBOURSE_METRICS", "yes"),
     ("LEADBOURSE_REFUSE_TEST_CONTACTS", "true"), ("LEADBOURSE_ALLOW_PRIVATE_TARGETS", "2"),
     ("LEADBOURSE_SMTP_URL", "mail.example.com"), ("LEADBOURSE_SMTP_URL", "http://mail.example.com"),
     ("LEADBOURSE_SMTP_URL", "smtp://"), ("LEADBOURSE_SMTP_URL", "smtp://host:99999"),
     ("LEADBOURSE_URL", "leads.example.com"), ("LEADBOURSE_URL", "https://leads.example.com/path"),
     ("LEADBOURSE_URL", "https://host:99999"), ("LEADBOURSE_PROXIES", "9"), ("LEADBOURSE_ROOT_KEY", "too short")],
)  # fmt: skip
def test_a_setting_that_cannot_be_read_is_named(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=name):
        Settings.read({name: text})


def test_links_begin_with_the_public_address_or_where_it_listens(tmp_path: Path) -> None:
    assert Settings(tmp_path, port=8001).address == "http://127.0.0.1:8001"
    told = Settings.read({"LEADBOURSE_URL": "https://leads.example.com/"})
    assert told.address == "https://leads.example.com"


def test_the_root_key_stands_in_no_log(tmp_path: Path) -> None:
    assert "secret" not in repr(Settings(tmp_path, root_key="secret" * 6))


def test_the_mailbox_of_bounces_is_read_over_tls_only() -> None:
    url = "imaps://bounces%40market.example:p%40ss@mail.market.example/INBOX"
    assert Settings.read({"LEADBOURSE_BOUNCES_URL": url}).bounces_url == url
    for wrong in ("imap://a:b@host/", "imaps://host/INBOX", "imaps://a@host", "https://a:b@host", "imaps://a:b@host:0"):
        with pytest.raises(ValueError, match="LEADBOURSE_BOUNCES_URL"):
            Settings.read({"LEADBOURSE_BOUNCES_URL": wrong})
