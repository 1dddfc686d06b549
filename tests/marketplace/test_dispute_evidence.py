"""Evidence is taken by its bytes and not its name, kept out of the web's reach, and given to the concerned to save."""

import struct
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.http import settings
from core.ids import parse_id
from marketplace.leads.disputes.filetypes import SUFFIX_OF, clean_name, type_of
from tests.deals import Deal, saved, upload
from tests.factories import Market

PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
    + struct.pack(">II", 2, 2)
    + b"\x08\2\0\0\0"
    + b"\0" * 8
    + b"\0\0\0\0IEND\xaeB`\x82"
)
WAV = b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + b"\0" * 28
FILES = {
    "application/pdf": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer <<>>\n%%EOF\n",
    "image/png": PNG,
    "image/jpeg": b"\xff\xd8\xff\xe0" + b"\0" * 40 + b"\xff\xd9",
    "image/webp": b"RIFF" + struct.pack("<I", 12) + b"WEBPVP8 " + b"\0" * 4,
    "audio/wav": WAV,
    "audio/mpeg": b"ID3\x04\0\0" + b"\0" * 40,
    "audio/ogg": b"OggS\0" + b"\2" * 40,
    "message/rfc822": b"From: a@example.com\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nundeliverable\r\n",
    "text/plain": "Ich habe nie etwas bestellt – é".encode(),
}


def zipped(name: str = "a.txt") -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, b"0" * 100_000)
    return packed.getvalue()


REFUSED = {
    "nothing": b"",
    "blanks": b" \n",
    "a GIF": b"GIF89a" + b"\0" * 40,
    "a GIF that is a page": b"GIF89a/*\0*/=1;<script>alert(1)</script>",
    "a ZIP": zipped(),
    "a JPEG with a ZIP behind it": FILES["image/jpeg"] + zipped() + b"\xff\xd9",
    "a PNG with something behind it": PNG + b"<script>",
    "a PNG of the size of a wall": PNG.replace(struct.pack(">II", 2, 2), struct.pack(">II", 100_000, 100_000)),
    "a PNG with a page in it": PNG[:40] + b"tEXt<html><script>alert(1)</script>" + PNG[40:],
    "a PDF with junk before it": b"MZ\x90\0" + FILES["application/pdf"],
    "a PDF with text before it": b"<html>" + b"\0" + FILES["application/pdf"],
    "a PDF that runs something": FILES["application/pdf"].replace(b"<<>>", b"<</S /JavaScript /JS (app.alert(1))>>"),
    "a PDF that never ends": FILES["application/pdf"].replace(b"%%EOF", b""),
    "a WAV longer than it says": WAV + b"PK\3\4",
    "a program": b"\x7fELF" + b"\0" * 40,
    "an SVG in UTF-16": "<svg onload=alert(1)>".encode("utf-16"),
    "text with controls": b"hello \x1b[2J",
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_what_its_bytes_say_and_is_saved_as_it_was_sent(deal: Deal, kind: str) -> None:
    opened = deal.dispute()
    kept = upload(deal.buyer, opened, FILES[kind], "../../etc/proof.exe")
    assert (kept.status_code, kept.json["media_type"], kept.json["side"]) == (201, kind, "buyer")
    assert kept.json["name"] == "proof" + SUFFIX_OF[kind]
    answers = [saved(member, kept.json["link"]) for member in (deal.buyer, deal.publisher, deal.operator)]
    assert {(answer.status_code, answer.data, answer.mimetype) for answer in answers} == {(200, FILES[kind], kind)}
    answer = answers[0]
    assert answer.headers["Content-Disposition"] == f"attachment; filename*=UTF-8''proof{SUFFIX_OF[kind]}"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize("name", REFUSED)
def test_what_runs_or_is_two_things_at_once_is_refused(name: str) -> None:
    assert type_of(REFUSED[name]) is None


def test_a_page_is_plain_text_to_be_saved_and_nothing_else(deal: Deal) -> None:
    kept = upload(deal.buyer, deal.dispute(), b"<!doctype html><script>alert(1)</script>", "page.html").json
    assert (kept["name"], kept["media_type"]) == ("page.txt", "text/plain")
    assert saved(deal.publisher, kept["link"]).headers["Content-Type"].startswith("text/plain")


def test_a_refused_file_leaves_nothing_behind(deal: Deal) -> None:
    opened = deal.dispute()
    refused = upload(deal.buyer, opened, zipped(), "proof.png")
    assert (refused.status_code, refused.json["code"]) == (422, "invalid_evidence")
    assert [fault["code"] for fault in refused.json["errors"]] == ["file_type_refused"]
    assert deal.now()["files"] == []
    assert not (settings().data_folder / "evidence").exists()


def test_a_file_lies_under_a_random_name_that_only_its_owner_reads(deal: Deal) -> None:
    kept = upload(deal.buyer, deal.dispute(), b"proof").json
    path = settings().data_folder / "evidence" / parse_id("file", kept["id"]).hex
    assert path.read_bytes() == b"proof"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    path.write_bytes(b"forged")
    assert saved(deal.buyer, kept["link"]).status_code == 404


def test_a_large_file_is_kept_and_a_larger_one_refused(deal: Deal) -> None:
    opened = deal.dispute()
    assert upload(deal.buyer, opened, b"a" * 10_000_000).status_code == 201
    assert upload(deal.buyer, opened, b"a" * 10_000_001).status_code == 422
    assert upload(deal.buyer, opened, b"a" * 11_000_000).status_code == 413


def test_each_side_shows_five_files(deal: Deal) -> None:
    opened = deal.dispute()
    for member in (deal.buyer, deal.publisher):
        assert [upload(member, opened, b"proof").status_code for _ in range(6)] == [201] * 5 + [409]
    assert [file["side"] for file in deal.now()["files"]] == ["buyer"] * 5 + ["publisher"] * 5


def test_strangers_neither_send_nor_save(deal: Deal, market: Market) -> None:
    opened = deal.dispute()
    link = upload(deal.buyer, opened, b"proof").json["link"]
    for stranger in (market.make_buyer("0"), market.make_publisher()):
        assert saved(stranger, link).status_code == 404
        assert upload(stranger, opened, b"proof").status_code == 404
    assert upload(deal.operator, opened, b"proof").status_code == 403
    assert deal.buyer.app.test_client().get(link).status_code == 401


def test_a_form_has_one_file_under_its_name(deal: Deal) -> None:
    opened = deal.dispute()
    assert upload(deal.buyer, opened, b"proof", field="other").json["code"] == "invalid_fields"
    path = f"/disputes/{opened['id']}/evidence"
    assert deal.buyer.request("POST", path, {"file": "proof"}).status_code == 415


def test_the_same_upload_again_under_its_key_is_one_file(deal: Deal) -> None:
    opened = deal.dispute()
    first, again = (upload(deal.buyer, opened, b"a" * 2_000_000, **{"Idempotency-Key": "once"}) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.json == again.json and again.headers["Idempotency-Replayed"] == "true"
    assert len(deal.now()["files"]) == 1


@given(st.text(max_size=300), st.sampled_from(sorted(SUFFIX_OF)))
def test_no_name_leaves_its_folder_or_hides_what_it_is(name: str, kind: str) -> None:
    cleaned = clean_name(name, kind)
    assert Path(cleaned).name == cleaned and not cleaned.startswith(".")
    assert cleaned.endswith(SUFFIX_OF[kind]) and cleaned.isprintable()
    assert not set(cleaned) & set('/\\<>:"|?*;\r\n\u202e')


@given(st.binary(max_size=200))
def test_any_bytes_have_a_known_type_or_none(data: bytes) -> None:
    assert type_of(data) in {*SUFFIX_OF, None}
