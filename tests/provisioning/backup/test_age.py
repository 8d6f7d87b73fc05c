"""The age format: what we write age reads, what age writes we read, and nothing changed or cut off is taken."""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.backup import bech32
from provisioning.backup.age import CHUNK, Decryptor, Encryptor, Identity, parse_recipient
from provisioning.backup.errors import ArchiveDamaged, KeyInvalid, KeyWrong

IDENTITY = Identity.make()


def sealed(plain: bytes) -> bytes:
    """``plain`` for IDENTITY."""
    file = io.BytesIO()
    encryptor = Encryptor(file, parse_recipient(IDENTITY.recipient()))
    encryptor.write(plain)
    encryptor.close()
    return file.getvalue()


def opened(cipher: bytes, identity: Identity = IDENTITY) -> bytes:
    return Decryptor(io.BytesIO(cipher), identity, "test.age").read()


@given(st.binary(max_size=300))
def test_bech32_text_reads_back_to_the_same_bytes(value: bytes) -> None:
    assert bech32.decode("age", bech32.encode("age", value)) == value


@given(st.integers(0, 1000), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l"))
def test_one_wrong_letter_in_a_key_is_noticed(place: int, letter: str) -> None:
    text = IDENTITY.recipient()
    place %= len(text)
    changed = text[:place] + letter + text[place + 1 :]
    assert changed == text or bech32.decode("age", changed) is None


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_was_sealed_opens_to_the_same_bytes(size: int) -> None:
    plain = os.urandom(size)
    assert opened(sealed(plain)) == plain


def test_small_reads_and_writes_give_the_same_bytes() -> None:
    plain, file = os.urandom(2 * CHUNK + 5), io.BytesIO()
    encryptor = Encryptor(file, parse_recipient(IDENTITY.recipient()))
    for start in range(0, len(plain), 1000):
        encryptor.write(plain[start : start + 1000])
    encryptor.close()
    reader = Decryptor(io.BytesIO(file.getvalue()), IDENTITY, "test.age")
    assert b"".join(iter(lambda: reader.read(777), b"")) == plain


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
