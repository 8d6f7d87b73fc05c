"""The age format (age-encryption.org/v1) for X25519 keys, as streams; the only importer of pyrage.

An archive can so be opened without Hiroba as well: ``age -d -i KEY FILE``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol

from device.secrets import Secret
from provisioning.backup.errors import ArchiveDamaged, KeyInvalid, KeyWrong


class Writable(Protocol):
    """Where encrypted bytes go."""

    def write(self, content: bytes, /) -> int:
        """All of ``content``."""


class Readable(Protocol):
    """What can be decrypted: a file, or the checked segments of one."""

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes; none at the end."""


_OTHER_KEY = "No matching keys found"
"""The library's message for a header for other keys only."""
_HEADER = ("Incomplete header", "Header MAC is invalid")


class Identity(Secret):
    """A secret key, as text AGE-SECRET-KEY-1…; its repr hides it."""

    __slots__ = ()

    @classmethod
    def make(cls) -> Identity:
        """A new one."""
        import pyrage

        return cls(str(pyrage.x25519.Identity.generate()).encode("ascii"))

    @classmethod
    def read(cls, path: Path) -> Identity:
        """The first key in an identity file (comments begin with #). Raises KeyInvalid, OSError."""
        import pyrage

        for word in path.read_text("ascii", "ignore").split():  # a comment may be Japanese
            with suppress(pyrage.IdentityError):
                return cls(str(pyrage.x25519.Identity.from_str(word)).encode("ascii"))
        raise KeyInvalid(file=path, wanted="identity")

    def text(self) -> str:
        """For its file."""
        return self.reveal().decode("ascii")

    def recipient(self) -> str:
        """The public key that belongs to it, age1…"""
        return str(self.key().to_public())

    def key(self) -> Any:
        """The key in pyrage's type."""
        import pyrage

        return pyrage.x25519.Identity.from_str(self.text())


def parse_recipient(text: str) -> str:
    """A public key age1…, checked and normalised. Raises KeyInvalid."""
    import pyrage

    try:
        return str(pyrage.x25519.Recipient.from_str(text.strip()))
    except pyrage.RecipientError as error:
        raise KeyInvalid(file="-", wanted="recipient") from error


def encrypt(plain: Iterable[bytes], sink: Writable, recipient: str) -> None:
    """The pieces of ``plain`` onto ``sink``, which stays open. Raises OSError of either."""
    import pyrage

    source, recording = _PieceReader(plain), _RecordingSink(sink)
    try:
        pyrage.encrypt_io(source, recording, [pyrage.x25519.Recipient.from_str(recipient)])
    except pyrage.EncryptError as error:  # it quotes our OSError without its errno
        raise source.failure or recording.failure or error from error


@contextmanager
def decrypted(source: Readable, identity: Identity, name: str) -> Iterator[IO[bytes]]:
    """What ``source`` holds, as a stream, each chunk authenticated before it is read. Only reading to the end shows
    that the file is complete. Raises KeyWrong and ArchiveDamaged when the block ends, before any other exception; and
    what ``source`` says that it failed of, before these.
    """
    out, into = os.pipe()
    failures: list[Exception] = []

    def work() -> None:
        import pyrage

        try:
            with open(into, "wb") as sink:  # noqa: PTH123 - an end of a pipe
                pyrage.decrypt_io(source, sink, [identity.key()])
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=work, name="decrypt", daemon=True)
    thread.start()
    try:
        with open(out, "rb") as plain:  # noqa: PTH123
            yield plain
    finally:
        thread.join()
        for failure in failures:
            if not isinstance(failure, BrokenPipeError):  # the reader stopped early
                raise getattr(source, "failure", None) or _translated(failure, name) from failure


def _translated(failure: Exception, name: str) -> Exception:
    """pyrage's exception as one of errors.py."""
    said = str(failure)
    if isinstance(failure, OSError):
        return failure if failure.errno else ArchiveDamaged(file=name, reason="truncated or changed")
    if said.startswith(_OTHER_KEY):
        return KeyWrong(file=name)
    return ArchiveDamaged(file=name, reason="header" if said.startswith(_HEADER) else "not an age file")


class _PieceReader:
    """Pieces as a readable file. failure: the exception of their iterator."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._ahead = memoryview(b"")
        self.failure: Exception | None = None

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes; none at the end."""
        try:
            while not self._ahead:
                self._ahead = memoryview(next(self._pieces))
        except StopIteration:
            return b""
        except Exception as error:
            self.failure = error
            raise
        taken, self._ahead = self._ahead[:size], self._ahead[size:]
        return bytes(taken)


class _RecordingSink:
    """A sink that records its exception: pyrage's own has no errno."""

    def __init__(self, sink: Writable) -> None:
        self._sink = sink
        self.failure: Exception | None = None

    def write(self, content: bytes) -> int:
        """All of ``content``."""
        try:
            return self._sink.write(content)
        except Exception as error:
            self.failure = error
            raise

    def flush(self) -> None:
        """The sink's owner flushes it."""
