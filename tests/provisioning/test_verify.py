"""hiroba verify: not compared, changed, unknown, in words and for programs; genuine papers are in tests/attacks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from device.qr import png_of
from kiosk.issuer.seal.seal import Sealer, SealFacts
from kiosk.issuer.seal.seal_keys import seal_key
from provisioning.cli import hiroba

FACTS = SealFacts("27999", "residence_record", "R8-000001-4", datetime(2026, 11, 23, 3, tzinfo=UTC), 1, 2, b"d" * 16)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    seal_key(tmp_path / "issuer" / "seal", "TEST city")
    return tmp_path


def run(state: Path, content: bytes, *words: str) -> Result:
    file = state / "paper"
    file.write_bytes(content)
    return CliRunner().invoke(hiroba, ["verify", str(file), "--state", str(state), *words])


def sealed(state: Path) -> bytes:
    return Sealer(seal_key(state / "issuer" / "seal", "TEST city")).seal(FACTS).encode()


def test_a_good_code_alone_is_told_in_both_languages_with_what_to_compare_and_exit_3(state: Path) -> None:
    result = run(state, sealed(state))
    assert result.exit_code == 3
    assert "見くらべてください / not compared" in result.output
    assert "住民票の写し (residence_record) R8-000001-4 2026-11-23 1/2" in result.output
    assert "TEST-city-" in result.output
    assert "真正" not in result.output


def test_a_changed_seal_is_told(state: Path) -> None:
    seal = sealed(state)
    result = run(state, seal[:-5] + (b"00000" if not seal.endswith(b"00000") else b"11111"))
    assert result.exit_code == 1
    assert "改変あり / changed" in result.output


@pytest.mark.parametrize("content", [b"", b"HRB1:", b"%PDF-1.7 broken", b"\x89PNG\r\n\x1a\nbroken", "住民票".encode()])
def test_what_has_no_seal_is_unknown(state: Path, content: bytes) -> None:
    result = run(state, content)
    assert result.exit_code == 1
    assert "確認できません / unknown" in result.output


def test_programs_get_json(state: Path) -> None:
    answer = json.loads(run(state, sealed(state), "--json").output)
    assert (answer["verdict"], answer["compared"], answer["reason"]) == ("not_compared", "nothing", "seal_only")
    (seal,) = answer["seals"]
    assert (seal["issue_number"], seal["page"], seal["pages"]) == ("R8-000001-4", 1, 2)
    assert seal["issued_at"] == "2026-11-23T12:00:00+09:00"


def test_without_the_citys_keys_there_is_no_answer(tmp_path: Path) -> None:
    result = run(tmp_path, b"HRB1:0")
    assert result.exit_code == 2
    assert "公開鍵がありません" in result.output


def test_a_picture_without_a_seal_of_ours_is_unknown(state: Path) -> None:
    assert run(state, png_of("https://example.jp/")).exit_code == 1
