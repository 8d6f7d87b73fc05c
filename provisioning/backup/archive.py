"""Writes and reads archives: a tar inside age, its first entry the manifest.

Layout: ``manifest.json``, then every file it names, ``state/…`` and ``settings/…``, in its order. Nothing else may be
in it; each file's length and SHA-256 stand in the manifest.
"""

from __future__ import annotations

import errno
import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import msgspec

from device.files import atomic_writer
from provisioning.backup.age import Identity, decrypted, encrypt
from provisioning.backup.contents import Manifest, safe
from provisioning.backup.errors import ArchiveDamaged, CannotWrite
from provisioning.backup.snapshot import MANIFEST, digest

FORMAT = 1
_MAX_MANIFEST_BYTES = 16 * 1024 * 1024


def write(target: Path, recipient: str, manifest: Manifest, work: Path) -> int:
    """The copies in ``work`` as an archive at ``target``, complete or not at all; its size in bytes. Raises
    CannotWrite.
    """
    try:
        with atomic_writer(target, mode=0o600) as file:
            encrypt(_tar(manifest, work), file, recipient)
            size = file.tell()
    except OSError as error:
        raise CannotWrite(file=target, reason=error.strerror or "") from error
    return size


def _tar(manifest: Manifest, work: Path) -> Iterator[bytes]:
    """The archive's plain bytes, in pieces."""
    text = msgspec.json.encode(manifest)
    yield from _member(MANIFEST, len(text), io.BytesIO(text))
    for kept in manifest.files:
        with (work / kept.path).open("rb") as plain:
            yield from _member(kept.path, kept.bytes, plain)
    yield bytes(2 * tarfile.BLOCKSIZE)  # the end (POSIX.1-2001, pax)


def _member(name: str, size: int, plain: IO[bytes]) -> Iterator[bytes]:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    yield entry.tobuf(tarfile.PAX_FORMAT)
    left = size
    while left:
        piece = plain.read(min(left, 1 << 20))
        if not piece:
            raise OSError(errno.EIO, os.strerror(errno.EIO), name)  # it is shorter than its manifest says
        left -= len(piece)
        yield piece
    yield bytes(-size % tarfile.BLOCKSIZE)


class _Entry(NamedTuple):
    name: str
    size: int
    body: IO[bytes]


def unpack(source: Path, identity: Identity, folder: Path) -> Manifest:
    """Everything of the archive ``source`` into ``folder``, checked against its manifest. Raises KeyWrong,
    ArchiveDamaged (``folder`` then holds what nobody may use), CannotWrite.
    """
    try:
        file = source.open("rb")
    except OSError as error:
        raise CannotWrite(file=source, reason=error.strerror or "") from error
    with file:
        try:
            with decrypted(file, identity, source.name) as plain:
                return _unpack(source.name, plain, folder)
        except (tarfile.TarError, msgspec.DecodeError, EOFError, UnicodeError) as error:
            raise ArchiveDamaged(file=source.name, reason=type(error).__name__) from error
        except OSError as error:
            raise CannotWrite(file=folder, reason=error.strerror or "") from error


def _unpack(name: str, plain: IO[bytes], folder: Path) -> Manifest:
    with tarfile.open(fileobj=plain, mode="r|") as tar:
        entries = _entries(name, tar)
        first = next(entries, None)
        if first is None or first.name != MANIFEST or first.size > _MAX_MANIFEST_BYTES:
            raise ArchiveDamaged(file=name, reason="manifest")
        manifest = msgspec.json.decode(first.body.read(), type=Manifest)
        if manifest.format != FORMAT:
            raise ArchiveDamaged(file=name, reason=f"format {manifest.format}")
        wanted = iter(manifest.files)
        for entry in entries:
            kept = next(wanted, None)
            if kept is None or kept.path != entry.name or not safe(entry.name) or kept.bytes != entry.size:
                raise ArchiveDamaged(file=name, reason="not as the manifest says")
            _write_file(folder / kept.path, entry.body)
            if digest(folder / kept.path) != kept.sha256:
                raise ArchiveDamaged(file=name, reason="not as the manifest says")
    if next(wanted, None) is not None:
        raise ArchiveDamaged(file=name, reason="not as the manifest says")
    while plain.read(1 << 20):  # to its last chunk, which proves that nothing was truncated
        pass
    return manifest


def _entries(name: str, tar: tarfile.TarFile) -> Iterator[_Entry]:
    for entry in tar:
        body = tar.extractfile(entry) if entry.isreg() else None
        if body is None:
            raise ArchiveDamaged(file=name, reason="not a plain file")
        yield _Entry(entry.name, entry.size, body)


def _write_file(path: Path, body: IO[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - mode 0600 from the start
        while piece := body.read(1 << 20):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
