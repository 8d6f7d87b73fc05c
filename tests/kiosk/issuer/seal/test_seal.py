"""The seal: what was signed is read back, whatever was changed shows, and nothing of a stranger breaks the reader."""

from __future__ import annotations

import dataclasses
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from device.errors import SettingsError
from device.printer.pdf_drawing import page_png, page_texts
from device.qr import texts_in
from kiosk.issuer import protocol as p
from kiosk.issuer.seal import base45
from kiosk.issuer.seal.seal import FORM_2, FORMS, Judged, Reason, Sealer, SealFacts, Verdict, judge, text_digest
from kiosk.issuer.seal.seal_keys import SealKey, public_keys, seal_key
from kiosk.issuer.seal.seal_reading import judge_file

if TYPE_CHECKING:
    from tests.kiosk.issuer.conftest import Hall

KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
KEYS = {"TEST city": SealKey(KEY.public_key())}
FACTS = SealFacts("27999", "residence_record", "R8-000001-4", datetime(2026, 11, 23, 3, 0, tzinfo=UTC), 1, 1, b"d" * 16)
SEAL = Sealer(KEY).seal(FACTS)
TEXT = "住民票の写し\n氏名 辻\U000e0102 見本\n1 / 1 発行番号　R8-000001-4"


def test_what_was_sealed_is_read_back() -> None:
    assert judge(SEAL, KEYS) == Judged(None, FACTS, "TEST city")


def test_a_seal_alone_is_never_called_genuine() -> None:
    assert judge(SEAL, KEYS).verdict is Verdict.NOT_COMPARED
    assert judge_file(SEAL.encode(), KEYS).verdict is Verdict.NOT_COMPARED


def test_the_same_facts_give_the_same_seal() -> None:
    assert Sealer(KEY).seal(FACTS) == SEAL


def test_a_seal_is_as_long_whatever_its_digest() -> None:
    assert len(Sealer(KEY).seal(dataclasses.replace(FACTS, digest=bytes(16)))) == len(SEAL)


@pytest.mark.parametrize("other", [TEXT.replace("辻\U000e0102", "辻"), TEXT.replace("見本", "本見"), TEXT + "1"])
def test_another_text_has_another_digest(other: str) -> None:
    assert text_digest(other) != text_digest(TEXT)


def test_white_space_and_the_kiosks_mark_are_no_part_of_the_text() -> None:
    read_back = TEXT.replace("\n", "\r\n").replace("1 / 1", "1/1-0123456789ABCDEF 1 / 1")
    assert text_digest(read_back) == text_digest(TEXT)


def test_a_seal_of_another_key_is_unknown() -> None:
    assert judge(Sealer(OTHER).seal(FACTS), KEYS) == Judged(Reason.UNKNOWN_KEY)
    assert judge(SEAL, {}) == Judged(Reason.UNKNOWN_KEY)
    assert judge(SEAL, {}).verdict is Verdict.UNKNOWN


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_seal_with_any_byte_changed_is_no_seal_of_the_key(place: int, change: int) -> None:
    content = bytearray(base45.decode(SEAL.removeprefix(FORM_2)))
    content[place % len(content)] ^= change
    assert judge(FORM_2 + base45.encode(bytes(content)), KEYS).reason is not None


@given(st.one_of(st.text(max_size=60), st.binary(max_size=200).map(base45.encode)), st.sampled_from(FORMS))
def test_a_strangers_code_is_unknown(text: str, form: str) -> None:
    assert judge(form + text, KEYS) == Judged(Reason.NO_SEAL)
    assert judge(text, KEYS) == Judged(Reason.NO_SEAL)


@pytest.mark.parametrize("parts", [[], [1, {}, b"", b""], [b"", {}, b"", b"", b""], [b"\x01", {}, b"", b""], 5, "text"])
def test_a_strange_envelope_is_unknown(parts: object) -> None:
    seal = FORM_2 + base45.encode(cbor2.dumps(cbor2.CBORTag(18, parts)))
    assert judge(seal, KEYS) == Judged(Reason.NO_SEAL)


def test_the_signature_is_cose_as_another_reader_would_check_it() -> None:
    head, _, claims, signature = cbor2.loads(base45.decode(SEAL.removeprefix(FORM_2))).value
    KEY.public_key().verify(signature, cbor2.dumps(["Signature1", head, b"", claims]))
    assert cbor2.loads(head)[1] == -8
    assert cbor2.loads(claims)[1] == "27999"


@given(st.binary(max_size=80))
def test_base45_reads_what_it_wrote(content: bytes) -> None:
    assert base45.decode(base45.encode(content)) == content


@pytest.mark.parametrize(
    ("content", "text"), [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581")]
)
def test_base45_is_that_of_the_standard(content: bytes, text: str) -> None:
    assert base45.encode(content) == text


@pytest.mark.parametrize("text", [":::", "A", "abc", "GGW", "::"])
def test_what_is_no_base45_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not Base45"):
        base45.decode(text)


def test_what_is_no_picture_holds_no_code() -> None:
    assert texts_in(b"no picture") == texts_in(b"") == []


def test_workers_that_start_at_the_same_moment_share_one_key(tmp_path: Path) -> None:
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(seal_key(tmp_path / "seal", "TEST: city").private_bytes_raw()))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1
    assert [name[:10] for name in public_keys(tmp_path / "seal")] == ["TEST-city-"]
    assert (tmp_path / "seal" / "seal.key").stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_no_key_is_told(tmp_path: Path) -> None:
    (tmp_path / "seal.key").write_text("no key")
    (tmp_path / "old.pem").write_text("no key")
    with pytest.raises(SettingsError):
        seal_key(tmp_path, "TEST")
    with pytest.raises(SettingsError):
        public_keys(tmp_path)


def _issued(hall: Hall, resident: str, copies: int = 1) -> bytes:
    hall.link("demo", resident)
    visit = hall.enter()
    content = hall.content(visit, copies=copies, items=["registered_domicile", "relationship"])
    hall.quoted(visit.visit, content)
    answer = hall.port.document(content.request, p.DocumentRequest(visit=visit.visit))
    assert isinstance(answer, p.Document)
    return answer.pdf


@pytest.mark.parametrize("resident", ["R00001", "R00005", "R00015", "R00020"])
def test_every_page_of_an_issued_paper_is_genuine(hall: Hall, resident: str, tmp_path: Path) -> None:
    pdf = _issued(hall, resident, copies=2)
    found = judge_file(pdf, public_keys(tmp_path / "seal"))
    assert (found.verdict, found.reason) == (Verdict.GENUINE, None)
    half = len(page_texts(pdf)) // 2
    places = [(seal.facts.page, seal.facts.pages) for seal in found.seals if seal.facts]
    assert places == [(n, half) for n in range(1, half + 1)] * 2


def test_a_scan_of_low_quality_still_shows_the_seal_and_nothing_more(hall: Hall, tmp_path: Path) -> None:
    found = judge_file(page_png(_issued(hall, "R00001"), 0, 130), public_keys(tmp_path / "seal"))
    assert (found.verdict, found.reason) == (Verdict.NOT_COMPARED, Reason.SEAL_ONLY)
    assert [seal.facts.number for seal in found.seals if seal.facts] == ["R8-000001-4"]


def test_the_seal_holds_nothing_about_a_person(hall: Hall) -> None:
    pdf = _issued(hall, "R00001")
    (seal,) = texts_in(page_png(pdf, 0, 200))
    content = base45.decode(seal.removeprefix(FORM_2))
    for word in ("辻", "浩一", "千里丘", "R00001"):
        assert word.encode() not in content
