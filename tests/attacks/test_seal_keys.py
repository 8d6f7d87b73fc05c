"""A forger with a key: outside its time, in a list that nobody signed, in an old list, in one of an old signer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import cbor2
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.errors import SettingsError
from kiosk.issuer.seal import key_list
from kiosk.issuer.seal.key_list import KeyListRefused, accept, checking_keys, newest_list
from kiosk.issuer.seal.seal import Sealer, SealFacts
from kiosk.issuer.seal.seal_keys import SealKey, public_keys, public_text, rotate, seal_key
from provisioning.cli import hiroba

CITY, FORGER, SIGNER, NEXT = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3, 4))
NOW = datetime.now(UTC).replace(microsecond=0)
YEAR = timedelta(days=365)
TRUSTED = SealKey(SIGNER.public_key())


def seal(key: Ed25519PrivateKey, at: datetime) -> bytes:
    return Sealer(key).seal(SealFacts("27999", "residence_record", "R8-000001-4", at, 1, 1, b"d" * 16)).encode()


def verify(folder: Path, content: bytes) -> Result:
    paper = folder.parent / "paper"
    paper.write_bytes(content)
    return CliRunner().invoke(hiroba, ["verify", str(paper), "--keys", str(folder)])


def a_list(
    version: int,
    signer: Ed25519PrivateKey = SIGNER,
    *,
    keys: dict[str, SealKey] | None = None,
    then: Ed25519PrivateKey | None = None,
    expires: datetime = NOW + YEAR,
) -> bytes:
    known = keys or {"city": SealKey(CITY.public_key(), NOW - YEAR, NOW + YEAR)}
    after = [then.public_key()] if then else []
    return key_list.signed(signer, known, version=version, issued=NOW, expires=expires, signers=after)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checker's, with the first list."""
    accept(tmp_path / "keys", a_list(1), NOW, TRUSTED)
    return tmp_path / "keys"


@pytest.mark.parametrize("at", [NOW - 2 * YEAR, NOW + 2 * YEAR])
def test_a_key_outside_its_time_seals_nothing(folder: Path, at: datetime) -> None:
    assert verify(folder, seal(CITY, NOW)).exit_code == 3
    result = verify(folder, seal(CITY, at))
    assert result.exit_code == 1
    assert "有効期間の外" in result.output


def test_the_time_of_a_key_in_a_folder_of_the_issuer_counts_too(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "city.pem").write_bytes(public_text(SealKey(CITY.public_key(), NOW - YEAR, NOW)))
    assert verify(folder, seal(CITY, NOW - timedelta(days=1))).exit_code == 3
    assert verify(folder, seal(CITY, NOW + timedelta(days=1))).exit_code == 1


def test_a_rotated_key_seals_no_more_and_its_old_papers_stay_good(tmp_path: Path) -> None:
    folder = tmp_path / "seal"
    old = seal_key(folder, "TEST city", NOW - YEAR)
    rotate(folder, "TEST city", NOW)
    new = seal_key(folder, "TEST city", NOW)
    assert new.private_bytes_raw() != old.private_bytes_raw()
    assert len(public_keys(folder)) == 2
    day = timedelta(days=1)
    assert [verify(folder, seal(old, at)).exit_code for at in (NOW - day, NOW + 2 * day)] == [3, 1]
    assert verify(folder, seal(new, NOW + day)).exit_code == 3


def test_an_issuer_does_not_seal_with_a_key_whose_time_is_over(tmp_path: Path) -> None:
    seal_key(tmp_path, "TEST city", NOW - 6 * YEAR)
    with pytest.raises(SettingsError):
        seal_key(tmp_path, "TEST city", NOW)


def test_a_key_of_release_0_1_has_no_bounds_and_stays(tmp_path: Path) -> None:
    old = seal_key(tmp_path, "TEST city")
    assert seal_key(tmp_path, "Another name", NOW).private_bytes_raw() == old.private_bytes_raw()
    assert len(public_keys(tmp_path)) == 1


def test_a_list_that_nobody_signed_is_refused(folder: Path) -> None:
    unsigned = cbor2.dumps({"type": "hiroba-seal-keys", "version": 2, "keys": [], "signers": []})
    content = bytearray(a_list(2))
    content[-1] ^= 1
    for forged in (unsigned, bytes(content), a_list(2, FORGER), b"", b"\xff" * 100):
        with pytest.raises(KeyListRefused):
            accept(folder, forged, NOW)
    assert [file.name for file in folder.glob("*.cose")] == ["key-list-000001.cose"]


def test_a_forged_list_laid_into_the_folder_is_not_used(folder: Path) -> None:
    forged = {"city": SealKey(FORGER.public_key())}
    (folder / "key-list-000002.cose").write_bytes(a_list(2, FORGER, keys=forged))
    result = verify(folder, seal(FORGER, NOW))
    assert result.exit_code == 2
    assert "署名鍵一覧が使えません" in result.output


def test_a_lone_key_laid_beside_the_lists_is_not_used(folder: Path) -> None:
    (folder / "forger.pem").write_bytes(public_text(SealKey(FORGER.public_key())))
    assert verify(folder, seal(FORGER, NOW)).exit_code == 1


def test_lists_without_their_signer_are_not_used(folder: Path) -> None:
    (folder / key_list.SIGNER).unlink()
    (folder / "forger.pem").write_bytes(public_text(SealKey(FORGER.public_key())))
    assert verify(folder, seal(FORGER, NOW)).exit_code == 2


def test_an_older_list_or_the_same_again_is_refused(folder: Path) -> None:
    accept(folder, a_list(3), NOW)
    for version in (1, 2, 3):
        with pytest.raises(KeyListRefused) as caught:
            accept(folder, a_list(version), NOW)
        assert caught.value.facts["reason"] == "version"


def test_a_list_that_lost_a_key_counts_from_its_acceptance(folder: Path) -> None:
    accept(folder, a_list(2, keys={"new": SealKey(FORGER.public_key())}), NOW)
    assert verify(folder, seal(CITY, NOW)).exit_code == 1
    assert verify(folder, seal(FORGER, NOW)).exit_code == 3


def test_the_signer_is_changed_by_a_list_and_the_old_one_then_signs_nothing(folder: Path) -> None:
    accept(folder, a_list(2, then=NEXT), NOW)
    with pytest.raises(KeyListRefused):
        accept(folder, a_list(3, SIGNER), NOW)
    accept(folder, a_list(3, NEXT), NOW)
    found = newest_list(folder)
    assert found
    assert found.version == 3


def test_a_signer_given_later_does_not_take_the_place_of_the_known_one(folder: Path) -> None:
    with pytest.raises(KeyListRefused):
        accept(folder, a_list(2, FORGER), NOW, SealKey(FORGER.public_key()))


def test_a_list_past_its_day_is_not_used(folder: Path) -> None:
    with pytest.raises(KeyListRefused) as caught:
        checking_keys(folder, NOW + 2 * YEAR)
    assert caught.value.facts["reason"] == "expired"
    with pytest.raises(KeyListRefused):
        accept(folder, a_list(2, expires=NOW - YEAR), NOW)


def test_staff_make_hand_out_and_take_a_list_by_commands(tmp_path: Path) -> None:
    def run(*words: str) -> Result:
        return CliRunner().invoke(hiroba, ["seal", *words], catch_exceptions=False)

    issuer, theirs, signer = tmp_path / "seal", tmp_path / "keys", tmp_path / "signer"
    key = seal_key(issuer, "TEST city", NOW)
    assert run("new-signer", "--out", str(signer)).exit_code == 0
    assert signer.stat().st_mode & 0o777 == 0o600
    out = tmp_path / "list.cose"
    made = run("sign-list", "--signer", str(signer), "--keys", str(issuer), "--version", "1", "--out", str(out))
    assert "第1版" in made.output
    run("accept-list", str(out), "--keys", str(theirs), "--signer", f"{signer}.pem")
    assert "TEST-city-" in run("keys", "--keys", str(theirs)).output
    assert verify(theirs, seal(key, NOW)).exit_code == 3
