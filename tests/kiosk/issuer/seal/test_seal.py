"""The seal: what was signed is read back, whatever was changed shows, and nothing of a stranger breaks the reader."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import cbor2
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from device.errors import SettingsError
from device.printer.pdf_drawing import page_png, page_texts
from device.qr import texts_in
from kiosk.issuer import protocol as p
from kiosk.issuer.seal import base45
from kiosk.issuer.seal.seal import PREFIX, Judged, Sealer, SealFacts, Verdict, judge, text_digest
from kiosk.issuer.seal.seal_keys import public_keys, seal_key
from kiosk.issuer.seal.seal_reading import judge_file

if TYPE_CHECKING:
    from tests.kiosk.issuer.conftest import Hall

KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
KEYS = {"TEST city": KEY.public_key()}
TEXT = "住民票の写し\n氏名 辻\U000e0102 見本\n1 / 1 発行番号　R8-000001-4"
FACTS = SealFacts(
    "27999", "residence_record", "R8-000001-4", datetime(2026, 11, 23, 3, 0, tzinfo=UTC), 1, 1, text_digest(TEXT)
)
SEAL = Sealer(KEY).seal(FACTS)


def test_what_was_sealed_is_read_back_and_its_text_is_genuine() -> None:
    assert judge(SEAL, KEYS, TEXT) == judge(SEAL, KEYS) == Judged(Verdict.GENUINE, FACTS, "TEST city")


def test_the_same_facts_give_the_same_seal() -> None:
    assert Sealer(KEY).seal(FACTS) == SEAL


@pytest.mark.parametrize("other", [TEXT.replace("辻\U000e0102", "辻"), TEXT.replace("見本", "本見"), TEXT + "1"])
def test_another_text_is_changed(other: str) -> None:
    assert judge(SEAL, KEYS, other) == Judged(Verdict.CHANGED, FACTS, "TEST city")


def test_white_space_and_the_kiosks_mark_are_no_part_of_the_text() -> None:
    read_back = TEXT.replace("\n", "\r\n").replace("1 / 1", "1/1-0123456789ABCDEF 1 / 1")
    assert judge(SEAL, KEYS, read_back).verdict is Verdict.GENUINE


def test_a_seal_of_another_key_is_unknown() -> None:
    assert judge(Sealer(OTHER).seal(FACTS), KEYS, TEXT) == Judged(Verdict.UNKNOWN)
    assert judge(SEAL, {}, TEXT) == Judged(Verdict.UNKNOWN)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_seal_with_any_byte_changed_is_never_genuine(place: int, change: int) -> None:
    content = bytearray(base45.decode(SEAL.removeprefix(PREFIX)))
    content[place % len(content)] ^= change
    assert judge(PREFIX + base45.encode(bytes(content)), KEYS, TEXT).verdict is not Verdict.GENUINE


@given(st.one_of(st.text(max_size=60), st.binary(max_size=200).map(base45.encode)))
def test_a_strangers_code_is_unknown(text: str) -> None:
    assert judge(PREFIX + text, KEYS) == Judged(Verdict.UNKNOWN)
    assert judge(text, KEYS) == Judged(Verdict.UNKNOWN)


@pytest.mark.parametrize("parts", [[], [1, {}, b"", b""], [b"", {}, b"", b"", b""], [b"\x01", {}, b"", b""], 5, "text"])
def test_a_strange_envelope_is_unknown(parts: object) -> None:
    seal = PREFIX + base45.encode(cbor2.dumps(cbor2.CBORTag(18, parts)))
    assert judge(seal, KEYS) == Judged(Verdict.UNKNOWN)


def test_the_signature_is_cose_as_another_reader_would_check_it() -> None:
    head, _, claims, signature = cbor2.loads(base45.decode(SEAL.removeprefix(PREFIX))).value
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
    assert {judged.verdict for judged in found} == {Verdict.GENUINE}
    half = len(page_texts(pdf)) // 2
    places = [(judged.facts.page, judged.facts.pages) for judged in found if judged.facts]
    assert places == [(n, half) for n in range(1, half + 1)] * 2


def test_a_seal_put_on_another_page_shows(hall: Hall, tmp_path: Path) -> None:
    keys = public_keys(tmp_path / "seal")
    first, second = _issued(hall, "R00001"), _issued(hall, "R00005")
    (seal,) = texts_in(page_png(first, 0, 200))
    assert judge(seal, keys, page_texts(first)[0]).verdict is Verdict.GENUINE
    assert judge(seal, keys, page_texts(second)[0]).verdict is Verdict.CHANGED


def test_a_scan_of_low_quality_still_shows_the_seal(hall: Hall, tmp_path: Path) -> None:
    (judged,) = judge_file(page_png(_issued(hall, "R00001"), 0, 130), public_keys(tmp_path / "seal"))
    assert judged.verdict is Verdict.GENUINE
    assert judged.facts
    assert judged.facts.number == "R8-000001-4"


def test_the_seal_holds_nothing_about_a_person(hall: Hall, tmp_path: Path) -> None:
    pdf = _issued(hall, "R00001")
    (seal,) = texts_in(page_png(pdf, 0, 200))
    content = base45.decode(seal.removeprefix(PREFIX))
    for word in ("辻", "浩一", "千里丘", "R00001"):
        assert word.encode() not in content
    (judged,) = judge_file(seal.encode() + b"\n", public_keys(tmp_path / "seal"))
    assert judged.facts
    assert msgspec.to_builtins(judged.facts.kind) == "residence_record"
