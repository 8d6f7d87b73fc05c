"""A back-up is believed for who signed it: the public key alone, a foreign key or a changed byte bring nothing in."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from device.clock import JST, HeldClock
from device.errors import HirobaError
from provisioning.backup.age import Identity
from provisioning.backup.archive import open_archive
from provisioning.backup.backup_writer import BackupWriter
from provisioning.backup.contents import Place, place_of
from provisioning.backup.errors import ArchiveDamaged, ArchiveUnsigned, SignatureInvalid, SignerUnknown
from provisioning.backup.signed_file import MAGIC
from provisioning.backup.signing import Anchors, Signer
from provisioning.cityhall.boxes.authority import Authority, make_authority
from provisioning.cli import hiroba
from tests.attacks.backup_forger import forged_manifest, signed, unsigned

CITY = Identity.make()
"""Its public half is in every site file; the secret one is not needed by who forges."""
AT = datetime(2026, 11, 23, 3, 0, tzinfo=JST)
BOX = "hiroba-1"
SITE = f'[box]\nname = "{BOX}"\n[city]\nname_ja = "試験市"\nname_en = "TEST"\ntelephone = "06-0000-0000"\n'


@pytest.fixture
def hall() -> Authority:
    return make_authority("TEST", ["cityhall.example.jp"], AT)


def own_key() -> Signer:
    return Signer(ec.generate_private_key(ec.SECP256R1()))


def signer_of(hall: Authority, box: str, since: datetime = AT) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    return Signer(key, hall.issue_box(box, key.public_key(), since, 30).public_bytes(Encoding.PEM).decode())


def of_a_box(folder: Path, signer: Signer, box: str = BOX) -> Path:
    """A real archive of a small box."""
    state = folder / "state"
    (state / "portal").mkdir(parents=True)
    with closing(sqlite3.connect(state / "portal" / "portal.db")) as database:
        database.execute("CREATE TABLE row (body)")
    (state / "enrolment").mkdir()
    (state / "enrolment" / "box-key.pem").write_bytes(b"TEST key")
    (folder / "hiroba").mkdir()
    (folder / "hiroba" / "site.toml").write_text(SITE)
    writer = BackupWriter(state, folder / "hiroba" / "site.toml", box, CITY.recipient(), HeldClock(AT), signer=signer)
    return writer.to_file(folder / "one.backup").path


def forged(folder: Path, signer: Signer, box: str = BOX, files: dict[str, bytes] | None = None) -> Path:
    manifest = forged_manifest(folder / "work", box, files or {"state/portal/key": b"x"})
    return signed(folder / "forged", CITY.recipient(), manifest, folder / "work", signer)


def command(source: Path, folder: Path, *words: str, say: str = "") -> Result:
    """``hiroba restore`` onto a blank machine below ``folder``."""
    (folder / "city.key").write_text(CITY.text())
    where = ["--config", str(folder / "etc/site.toml"), "--state", str(folder / "new")]
    asked = ["restore", str(source), "--key", str(folder / "city.key"), *where, *words]
    return CliRunner().invoke(hiroba, asked, input=say)


def trusting(source: Path, folder: Path, hall: Authority, *words: str, say: str = "") -> Result:
    """The same with the city's CA at hand."""
    (folder / "ca.pem").write_text(hall.pem)
    return command(source, folder, "--ca", str(folder / "ca.pem"), *words, say=say)


def came(folder: Path) -> list[Path]:
    return [path for place in ("new", "etc") for path in (folder / place).rglob("*") if path.is_file()]


def test_an_archive_made_with_the_public_key_alone_is_refused_before_it_is_read(tmp_path: Path) -> None:
    made = ["-m", "tests.attacks.backup_forger", str(tmp_path / "a.age"), CITY.recipient(), BOX, "/x"]
    subprocess.run([sys.executable, *made], check=True, capture_output=True)
    said = command(tmp_path / "a.age", tmp_path, "--yes")
    assert isinstance(said.exception, ArchiveUnsigned)
    assert came(tmp_path) == []


def test_a_key_of_the_forgers_own_is_no_boxs_with_or_without_a_ca_of_their_own(tmp_path: Path, hall: Authority) -> None:
    known = Anchors((hall.certificate,), frozenset({own_key().fingerprint()}))
    theirs = make_authority("TEST", ["cityhall.example.jp"], AT)
    for signer in (own_key(), signer_of(theirs, BOX)):
        with pytest.raises(SignerUnknown), open_archive(forged(tmp_path, signer), known):
            pass


@pytest.mark.parametrize("box", ["\x1b[2J\x1b]0;genuine\x07", "hiroba-1\nMade by city hall", "hiroba\x9b1m"])
def test_nothing_that_an_unknown_signer_wrote_works_on_the_terminal(box: str, tmp_path: Path, hall: Authority) -> None:
    said = trusting(forged(tmp_path, own_key(), box), tmp_path, hall, "--yes")
    assert isinstance(said.exception, ArchiveDamaged)
    assert box not in said.output


def test_a_box_signs_for_itself_alone(tmp_path: Path, hall: Authority) -> None:
    """The key of a stolen box makes archives of that box, and of no other."""
    made = forged(tmp_path, signer_of(hall, BOX), "hiroba-2")
    with pytest.raises(SignatureInvalid), open_archive(made, Anchors((hall.certificate,))):
        pass


def test_the_server_of_city_hall_is_no_box(tmp_path: Path, hall: Authority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    own = hall.issue_server(["cityhall.example.jp"], key.public_key(), AT).public_bytes(Encoding.PEM).decode()
    made = forged(tmp_path, Signer(key, own), "Hiroba city hall")
    with pytest.raises(SignatureInvalid), open_archive(made, Anchors((hall.certificate,))):
        pass


def test_an_archive_of_another_box_is_not_laid_onto_this_one(tmp_path: Path, hall: Authority) -> None:
    made = of_a_box(tmp_path / "old", signer_of(hall, "hiroba-2"), "hiroba-2")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/site.toml").write_text(SITE)
    said = trusting(made, tmp_path, hall, "--yes")
    assert isinstance(said.exception, HirobaError)
    assert said.exception.code == "backup.other_box"
    assert not (tmp_path / "new").exists()


def test_it_is_told_who_made_it_and_what_would_change_and_asked(tmp_path: Path, hall: Authority) -> None:
    made = of_a_box(tmp_path / "old", signer_of(hall, BOX))
    said = trusting(made, tmp_path, hall, say="n\n")
    assert said.exit_code == 1
    for words in (BOX, "2026-11-23T03:00:00+09:00", "Hiroba CA TEST", "portal 1", "site.toml 新しく", "戻しますか"):
        assert words in said.output
    assert came(tmp_path) == []
    assert trusting(made, tmp_path, hall, say="y\n").exit_code == 0
    assert (tmp_path / "etc/site.toml").read_text() == SITE


@settings(max_examples=60)
@given(place=st.integers(0, 10**9), change=st.integers(1, 255))
def test_one_changed_byte_anywhere_brings_nothing_in(
    place: int, change: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, signer = tmp_path_factory.mktemp("changed"), own_key()
    made = of_a_box(folder / "old", signer)
    content = bytearray(made.read_bytes())
    content[place % len(content)] ^= change
    made.write_bytes(content)
    refused = (ArchiveDamaged, ArchiveUnsigned, SignatureInvalid, SignerUnknown)
    noted = Anchors(fingerprints={signer.fingerprint()})
    with pytest.raises(refused), open_archive(made, noted) as archive:
        archive.unpack(CITY, folder / "out")


def test_a_medium_that_answers_otherwise_the_second_time_gains_nothing(tmp_path: Path, hall: Authority) -> None:
    """The signature is read from the honest file; then the stick gives another payload of the same length."""
    made = of_a_box(tmp_path / "old", signer_of(hall, BOX))
    with open_archive(made, Anchors((hall.certificate,))) as archive:
        content = bytearray(made.read_bytes())
        content[len(MAGIC) : len(MAGIC) + 200] = bytes(200)
        made.write_bytes(content)
        with pytest.raises(SignatureInvalid):
            archive.unpack(CITY, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_credential_that_ended_before_still_says_which_box_it_was(tmp_path: Path, hall: Authority) -> None:
    """The line may be down for months, and a restore years later; the end is told."""
    made = of_a_box(tmp_path / "old", signer_of(hall, BOX, AT - timedelta(days=90)))
    said = trusting(made, tmp_path, hall, "--yes")
    assert said.exit_code == 0, said.output
    assert "までのものでした" in said.output


def test_an_archive_of_an_earlier_release_needs_the_flag_the_boxs_name_and_a_yes(tmp_path: Path) -> None:
    files = {"settings/site.toml": SITE.encode(), "state/portal/key": b"old", "state/enrolment/box-key.pem": b"k"}
    manifest = forged_manifest(tmp_path / "work", BOX, files)
    old = unsigned(tmp_path / "a.age", CITY.recipient(), manifest, tmp_path / "work")
    assert command(old, tmp_path, "--unsigned", "hiroba-2", "--yes").exit_code == 1
    assert command(old, tmp_path, "--unsigned", BOX, say="n\n").exit_code == 1
    assert came(tmp_path) == []
    said = command(old, tmp_path, "--unsigned", BOX, say="y\n")
    assert "署名なし" in said.output
    assert (tmp_path / "new/portal/key").read_bytes() == b"old"
    assert not (tmp_path / "new/enrolment").exists()
    assert [path.name for path in (tmp_path / "etc").iterdir()] == ["site.toml.restored"]


def test_what_a_root_process_would_follow_comes_back_from_no_archive() -> None:
    """``hiroba apply --recover`` writes what undo.json says, as root, at the next start; dnsmasq runs dhcp-script."""
    for path in ("state/apply/undo.json", "state/.restore/checked", "settings/wifi/dnsmasq-hall.conf"):
        assert place_of(path, "site.toml", signed=True) is Place.NOWHERE
    assert place_of("settings/browser.env", "site.toml", signed=True) is Place.NOWHERE
    assert place_of("settings/update-commands.toml", "site.toml", signed=True) is Place.BESIDE
    assert place_of("settings/update-root.json", "site.toml", signed=False) is Place.BESIDE


def test_an_undo_record_in_a_signed_archive_is_left_out(tmp_path: Path, hall: Authority) -> None:
    files = {"state/apply/undo.json": b"{}", "state/portal/key": b"k"}
    said = trusting(forged(tmp_path, signer_of(hall, BOX), files=files), tmp_path, hall, "--yes")
    assert said.exit_code == 0, said.output
    assert "left: apply/undo.json" in said.output
    assert not (tmp_path / "new/apply").exists()


def test_a_seeded_machine_knows_the_city_by_itself(tmp_path: Path, hall: Authority) -> None:
    made = of_a_box(tmp_path / "old", signer_of(hall, BOX))
    (tmp_path / "new/enrolment").mkdir(parents=True)
    (tmp_path / "new/enrolment/city-ca.pem").write_text(hall.pem)
    assert command(made, tmp_path, "--yes").exit_code == 0
    kept = x509.load_pem_x509_certificate((tmp_path / "new/enrolment/city-ca.pem").read_bytes())
    assert kept == hall.certificate
    assert (tmp_path / "new/enrolment/box-key.pem").read_bytes() == b"TEST key"
