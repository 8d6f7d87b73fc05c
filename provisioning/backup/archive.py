"""Writes and reads archives: a tar inside age inside a signed file, the tar's first entry the manifest.

Layout of the tar: ``manifest.json``, then every file it names, ``state/…`` and ``settings/…``, in its order. Nothing
else may be in it; each file's length and SHA-256 stand in the manifest. The file around it: ``signed_file``.
"""

from __future__ import annotations

import errno
import io
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

import msgspec

from device.files import atomic_writer
from device.version import version
from provisioning.backup.age import Identity, Readable, decrypted, encrypt
from provisioning.backup.contents import Manifest, safe
from provisioning.backup.errors import ArchiveDamaged, CannotWrite
from provisioning.backup.signed_file import (
    MAGIC,
    SEGMENT,
    SegmentSums,
    SignedPayload,
    check,
    is_unsigned,
    write_signature,
)
from provisioning.backup.signing import Anchors, Maker, Signer, Statement
from provisioning.backup.snapshot import MANIFEST, digest

FORMAT = 1
"""Of the tar and its manifest: as in the first release."""
_MAX_MANIFEST_BYTES = 16 * 1024 * 1024
_MAX_EXTENSION_BYTES = 64 * 1024
"""Of a tar entry that only says something about the next one, such as a long name."""


def write(target: Path, recipient: str, manifest: Manifest, work: Path, signer: Signer) -> int:
    """The copies in ``work`` as an archive at ``target``, complete or not at all; its size in bytes. Raises
    CannotWrite.
    """
    try:
        with atomic_writer(target, mode=0o600) as file:
            file.write(MAGIC)
            sums = SegmentSums(file)
            encrypt(tar_pieces(manifest, work), sums, recipient)
            write_signature(file, _statement(manifest, sums), signer)
            size = file.tell()
    except OSError as error:
        raise CannotWrite(file=target, reason=error.strerror or "") from error
    return size


def _statement(manifest: Manifest, sums: SegmentSums) -> Statement:
    return Statement(
        archive=manifest.archive,
        box=manifest.box,
        taken_at=manifest.taken_at,
        version=version(),
        payload_bytes=sums.bytes,
        segment_bytes=SEGMENT,
        segments=sums.segments(),
    )


def tar_pieces(manifest: Manifest, work: Path) -> Iterator[bytes]:
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


@dataclass(frozen=True)
class OpenArchive:
    """An archive whose maker is known, open; or an unsigned one, which somebody wants all the same (maker: None)."""

    name: str
    maker: Maker | None
    payload: Callable[[], Readable]
    statement: Statement | None

    def manifest(self, identity: Identity) -> Manifest:
        """What is in it; nothing is unpacked. Raises KeyWrong, ArchiveDamaged, SignatureInvalid."""
        with self._plain(identity) as plain, _tarfile(plain) as tar:
            return self._manifest(_entries(self.name, tar))

    def unpack(self, identity: Identity, folder: Path) -> Manifest:
        """Everything of it into ``folder``, checked against its manifest. Raises KeyWrong, ArchiveDamaged and
        SignatureInvalid (``folder`` then holds what nobody may use), CannotWrite.
        """
        try:
            with self._plain(identity) as plain:
                return self._unpack(plain, folder)
        except OSError as error:
            raise CannotWrite(file=folder, reason=error.strerror or "") from error

    @contextmanager
    def _plain(self, identity: Identity) -> Iterator[IO[bytes]]:
        try:
            with decrypted(self.payload(), identity, self.name) as plain:
                yield plain
        except (tarfile.TarError, msgspec.DecodeError, EOFError, UnicodeError) as error:
            raise ArchiveDamaged(file=self.name, reason=type(error).__name__) from error

    def _unpack(self, plain: IO[bytes], folder: Path) -> Manifest:
        with _tarfile(plain) as tar:
            entries = _entries(self.name, tar)
            manifest = self._manifest(entries)
            wanted = iter(manifest.files)
            for entry in entries:
                kept = next(wanted, None)
                if kept is None or kept.path != entry.name or not safe(entry.name) or kept.bytes != entry.size:
                    raise ArchiveDamaged(file=self.name, reason="not as the manifest says")
                _write_file(folder / kept.path, entry.body)
                if digest(folder / kept.path) != kept.sha256:
                    raise ArchiveDamaged(file=self.name, reason="not as the manifest says")
        if next(wanted, None) is not None:
            raise ArchiveDamaged(file=self.name, reason="not as the manifest says")
        while plain.read(1 << 20):  # to its last chunk, which proves that nothing was truncated
            pass
        return manifest

    def _manifest(self, entries: Iterator[_Entry]) -> Manifest:
        first = next(entries, None)
        if first is None or first.name != MANIFEST or first.size > _MAX_MANIFEST_BYTES:
            raise ArchiveDamaged(file=self.name, reason="manifest")
        manifest = msgspec.json.decode(first.body.read(), type=Manifest)
        if manifest.format != FORMAT:
            raise ArchiveDamaged(file=self.name, reason=f"format {manifest.format}")
        said = self.statement
        if said and (manifest.archive, manifest.box, manifest.taken_at) != (said.archive, said.box, said.taken_at):
            raise ArchiveDamaged(file=self.name, reason="not as the manifest says")
        return manifest


@contextmanager
def open_archive(source: Path, anchors: Anchors, *, unsigned: bool = False) -> Iterator[OpenArchive]:
    """The archive ``source`` once its maker is known; not a byte of its payload is read before. unsigned: one of an
    earlier release is taken as well. Raises ArchiveUnsigned, SignatureInvalid, SignerUnknown, ArchiveDamaged,
    CannotWrite.
    """
    try:
        file = source.open("rb")
    except OSError as error:
        raise CannotWrite(file=source, reason=error.strerror or "") from error
    with file:
        yield _opened(file, source, anchors, unsigned=unsigned)


def _opened(file: IO[bytes], source: Path, anchors: Anchors, *, unsigned: bool) -> OpenArchive:
    try:
        if unsigned and is_unsigned(file):
            return OpenArchive(source.name, None, lambda: _from_start(file), None)
        found: SignedPayload = check(file, source.name, anchors)
    except OSError as error:
        raise CannotWrite(file=source, reason=error.strerror or "") from error
    return OpenArchive(source.name, found.maker, found.payload, found.statement)


def _from_start(file: IO[bytes]) -> IO[bytes]:
    file.seek(0)
    return file


class _Entry(NamedTuple):
    name: str
    size: int
    body: IO[bytes]


class _BoundedTarInfo(tarfile.TarInfo):
    """Refuses what tarfile would otherwise read into memory at whatever length a header says."""

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) and self.size > _MAX_EXTENSION_BYTES:
            raise tarfile.ReadError("extension too long")
        found: tarfile.TarInfo = super()._proc_member(tar)  # type: ignore[misc]  # where headers are read
        return found


def _tarfile(plain: IO[bytes]) -> tarfile.TarFile:
    return tarfile.open(fileobj=plain, mode="r|", tarinfo=_BoundedTarInfo)


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
