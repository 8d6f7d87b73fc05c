"""No malformed age file is taken, whatever else is right about it."""

from __future__ import annotations

import io

import pytest

from provisioning.backup.age import Identity, decrypted
from provisioning.backup.errors import ArchiveDamaged, KeyWrong
from tests.attacks.malformed_age import sound, vectors

IDENTITY = Identity.make()
VECTORS = vectors(IDENTITY.recipient())


def opened(cipher: bytes) -> bytes:
    with decrypted(io.BytesIO(cipher), IDENTITY, "test.age") as plain:
        return plain.read()


def test_the_writer_of_these_files_is_right_but_for_what_it_spoils() -> None:
    assert opened(sound(IDENTITY.recipient())) == b"plain"


LENIENT = frozenset({"a stanza without its body", "a stanza with a full last line"})
"""pyrage takes these, in which a stanza for somebody else lacks its last, empty line, as early writers made them. The
header's sum covers them, so they cannot be made out of another file, and what they hold is the same.
"""


def test_what_the_library_takes_all_the_same_holds_nothing_else() -> None:
    assert {opened(VECTORS[name]) for name in LENIENT} == {b"plain"}


@pytest.mark.parametrize("name", sorted(VECTORS.keys() - LENIENT))
def test_a_malformed_file_is_refused(name: str) -> None:
    with pytest.raises((ArchiveDamaged, KeyWrong)):
        opened(VECTORS[name])
