"""The age format: what we write age reads, what age writes we read, and nothing changed or cut off is taken."""

from __future__ import annotations

import errno
import io
import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.backup.age import Identity, decrypted, encrypt, parse_recipient
from provisioning.backup.archive import open_archive
from provisioning.backup.errors import ArchiveDamaged, KeyInvalid, KeyWrong
from provisioning.backup.signing import Anchors

CHUNK = 64 * 1024
"""Of the format's payload."""
IDENTITY = Identity.make()
OLD = Path(__file__).parents[2] / "fixtures" / "backup"
"""An archive that our own code wrote before pyrage did, and its TEST key."""


def sealed(plain: bytes, piece: int = 1 << 20) -> bytes:
    """``plain`` for IDENTITY."""
    file = io.BytesIO()
    encrypt((plain[start : start + piece] for start in range(0, len(plain), piece)), file, IDENTITY.recipient())
    return file.getvalue()


def opened(cipher: bytes, identity: Identity = IDENTITY) -> bytes:
    with decrypted(io.BytesIO(cipher), identity, "test.age") as plain:
        return plain.read()


@given(st.integers(0, 1000), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l"))
def test_one_wrong_letter_in_a_key_is_noticed(place: int, letter: str) -> None:
    text = IDENTITY.recipient()
    place %= len(text)
    changed = text[:place] + letter + text[place + 1 :]
    if changed == text:
        assert parse_recipient(changed) == text
        return
    with pytest.raises(KeyInvalid):
        parse_recipient(changed)


def test_an_archive_of_our_own_age_code_opens_with_its_key(tmp_path: Path) -> None:
    identity = Identity.read(OLD / "TEST-key.txt")
    with open_archive(OLD / "written-by-our-own-age.age", Anchors(), unsigned=True) as old:
        manifest = old.unpack(identity, tmp_path / "out")
    assert f"public key: {identity.recipient()}" in (OLD / "TEST-key.txt").read_text("ascii")
    assert [kept.path for kept in manifest.files] == ["state/gate/key", "state/portal/large", "settings/site.toml"]
    assert (tmp_path / "out/state/gate/key").read_bytes() == b"TEST key of 32 bytes, of no city"


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_was_sealed_opens_to_the_same_bytes(size: int) -> None:
    plain = os.urandom(size)
    assert opened(sealed(plain)) == plain


@pytest.mark.parametrize("piece", [1, 1000, CHUNK - 1])
def test_small_reads_and_writes_give_the_same_bytes(piece: int) -> None:
    plain = os.urandom(2 * CHUNK + 5 if piece > 1 else 500)
    with decrypted(io.BytesIO(sealed(plain, piece)), IDENTITY, "test.age") as reader:
        assert b"".join(iter(lambda: reader.read(777), b"")) == plain


def test_who_wants_no_more_ends_the_reading() -> None:
    cipher = sealed(os.urandom(40 * CHUNK))
    with decrypted(io.BytesIO(cipher), IDENTITY, "test.age") as reader:
        assert len(reader.read(10)) == 10


class Full(io.BytesIO):
    """A medium without room."""

    def write(self, _content: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def unreadable() -> Iterator[bytes]:
    yield b"first"
    raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize(
    ("plain", "sink", "number"), [([b"x" * 200_000], Full(), errno.ENOSPC), (unreadable(), io.BytesIO(), errno.EIO)]
)
def test_what_is_wrong_with_a_medium_is_told_with_its_number(
    plain: Iterable[bytes], sink: io.BytesIO, number: int
) -> None:
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        encrypt(plain, sink, IDENTITY.recipient())
    assert caught.value.errno == number


@settings(max_examples=200)
@given(st.integers(0, 10**9), st.integers(1, 255))
def test_one_changed_byte_anywhere_is_refused(place: int, change: int) -> None:
    cipher = bytearray(sealed(b"p" * 500))
    cipher[place % len(cipher)] ^= change
    with pytest.raises((ArchiveDamaged, KeyWrong)):
        opened(bytes(cipher))


@settings(max_examples=100)
@given(st.integers(1, 10**9))
def test_a_file_cut_off_anywhere_is_refused(place: int) -> None:
    cipher = sealed(b"p" * (CHUNK + 500))
    with pytest.raises((ArchiveDamaged, KeyWrong)):
        opened(cipher[: place % len(cipher)])


def test_a_file_cut_off_between_two_chunks_is_refused() -> None:
    whole = sealed(b"p" * (2 * CHUNK))
    with pytest.raises(ArchiveDamaged):
        opened(whole[: -(CHUNK + 16)])


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(KeyWrong):
        opened(sealed(b"plain"), Identity.make())


def test_a_recipient_is_no_identity_and_the_other_way_round(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(IDENTITY.recipient(), "ascii")
    with pytest.raises(KeyInvalid):
        Identity.read(tmp_path / "key")
    with pytest.raises(KeyInvalid):
        parse_recipient(IDENTITY.text())


def test_an_identity_file_may_say_something_in_japanese_and_a_missing_one_is_a_missing_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"\ufeff# 摂津市の鍵\r\n{IDENTITY.text()}\r\n", "utf-8")
    assert Identity.read(file).text() == IDENTITY.text()
    with pytest.raises(FileNotFoundError):
        Identity.read(tmp_path / "other")


def test_an_identity_never_shows() -> None:
    assert IDENTITY.text() not in f"{IDENTITY!r} {IDENTITY} {IDENTITY:>20}"


@pytest.mark.needs("age")
@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1])
def test_the_age_program_opens_what_we_sealed(tmp_path: Path, size: int) -> None:
    (tmp_path / "key").write_text(IDENTITY.text(), "ascii")
    plain = os.urandom(size)
    run = subprocess.run(["age", "-d", "-i", tmp_path / "key"], input=sealed(plain), capture_output=True, check=True)
    assert run.stdout == plain


@pytest.mark.needs("age")
@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1])
def test_we_open_what_the_age_program_sealed(size: int) -> None:
    plain = os.urandom(size)
    others = ["-r", Identity.make().recipient()]
    run = subprocess.run(["age", *others, "-r", IDENTITY.recipient()], input=plain, capture_output=True, check=True)
    assert opened(run.stdout) == plain
