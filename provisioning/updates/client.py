"""The box's side: what is offered, and the bundle's very bytes, or the reason why not (N10).

The root metadata is pinned on the box; from there TUF's own client follows keys, versions and dates. One of the two
importers of tuf; the other is repository.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from tuf.api import exceptions
from tuf.api._payload import Targets
from tuf.api.metadata import Metadata
from tuf.ngclient.fetcher import FetcherInterface
from tuf.ngclient.updater import Updater

from device.clock import Clock
from device.http_exchange import NO_HTTP, HttpStatus, chunks
from provisioning.updates.disk import Disk
from provisioning.updates.errors import (
    BundleDamaged,
    BundleError,
    BundleExpired,
    BundleOlder,
    BundleUnsigned,
    ClockBehind,
    SourceUnreachable,
    TrustMissing,
)
from provisioning.updates.manifest import Offer

REFUSALS: tuple[tuple[type[Exception], type[BundleError]], ...] = (
    (exceptions.UnsignedMetadataError, BundleUnsigned),
    (exceptions.ExpiredMetadataError, BundleExpired),
    (exceptions.BadVersionNumberError, BundleOlder),
    (exceptions.RepositoryError, BundleDamaged),
    (exceptions.DownloadLengthMismatchError, BundleDamaged),
    (exceptions.DownloadError, SourceUnreachable),
    (OSError, SourceUnreachable),
    (ValueError, BundleDamaged),
)
"""What TUF's client raises -> what we say; the first that fits."""
_BROKEN = NO_HTTP
MAX_FILE_BYTES = 4 * 2**30
MIN_RATE = 4096
"""Bytes a second of a download that earn further time; a line slower than that is as good as down."""
_CHUNK = 1 << 18
_SLACK = timedelta(days=1)


class FolderFetcher(FetcherInterface):
    """Reads a repository from a folder, such as a USB stick."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _fetch(self, url: str) -> Iterator[bytes]:
        if not self._folder.is_dir():
            raise exceptions.DownloadError("no such folder")
        try:
            stream = (self._folder / url).open("rb")
        except FileNotFoundError as error:
            raise exceptions.DownloadHTTPError(url, 404) from error
        with stream:
            while chunk := stream.read(_CHUNK):
                yield chunk

    def fetch(self, url: str) -> Iterator[bytes]:
        """See FetcherInterface; the first byte is asked for at once, so that a missing file is known here."""
        return _begun(self._fetch(url))


class HttpsFetcher(FetcherInterface):
    """Reads a repository over HTTPS alone. cafile: the city's own CA, or None for the system's."""

    def __init__(self, base: str, cafile: Path | None = None, timeout_seconds: float = 30) -> None:
        if not base.startswith("https://"):
            raise SourceUnreachable(source=base, reason="only https:// or a folder")
        self._base = base.rstrip("/") + "/"
        self._context = ssl.create_default_context(cafile=str(cafile) if cafile else None)
        self._timeout = timeout_seconds

    def _fetch(self, url: str) -> Iterator[bytes]:
        """TUF counts the bytes of each file itself; here is what no file has."""
        try:
            yield from chunks(
                self._base + url, self._context, seconds=self._timeout, max_bytes=MAX_FILE_BYTES, min_rate=MIN_RATE
            )
        except HttpStatus as error:
            raise exceptions.DownloadHTTPError(str(error.status), error.status) from error

    def fetch(self, url: str) -> Iterator[bytes]:
        """See FetcherInterface; the request is sent here, so that its refusal is known here."""
        return _begun(self._fetch(url))


def _begun(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """``chunks`` with the first already taken. Whatever breaks is a DownloadError."""
    try:
        first = next(chunks, b"")
    except _BROKEN as error:
        raise exceptions.DownloadError(type(error).__name__) from error
    return _rest(first, chunks)


def _rest(first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    try:
        yield from chunks
    except _BROKEN as error:  # the stick was pulled out, the line went down
        raise exceptions.DownloadError(type(error).__name__) from error


def fetcher_for(source: str, cafile: Path | None = None) -> FetcherInterface:
    """A folder, or an https:// address. Raises SourceUnreachable for anything else."""
    return HttpsFetcher(source, cafile) if "://" in source else FolderFetcher(Path(source))


class Client:
    """One check of one repository. trust: the pinned root metadata; memory: folder of what TUF has seen."""

    def __init__(
        self,
        source: str,
        fetcher: FetcherInterface,
        *,
        trust: Path,
        memory: Path,
        clock: Clock,
        disk: Disk | None = None,
    ) -> None:
        self._source = source
        self._fetcher = fetcher
        self._trust = trust
        self._memory = memory
        self._clock = clock
        self._disk = disk or Disk()
        self._updater: Updater | None = None

    def refresh(self) -> Mapping[str, Offer]:
        """Target name -> offer, all verified. Raises a BundleError that names the refusal."""
        self._check_clock()
        self._memory.mkdir(parents=True, exist_ok=True)
        self._memory.chmod(0o755)  # the heartbeat, which is not root, tells when the city was last heard of
        with self._refusals():
            self._updater = Updater(
                str(self._memory), "metadata/", None, "targets/", self._fetcher, bootstrap=self._pinned()
            )
            self._updater.refresh()
            names = Metadata[Targets].from_file(str(self._memory / "targets.json")).signed.targets
            found = {name: self._offer(name) for name in names}
        self._disk.write(self._memory / "seen", self._clock.now().isoformat().encode())
        return found

    def download(self, name: str, folder: Path) -> Path:
        """The verified bundle in ``folder``. Raises BundleDamaged, SourceUnreachable."""
        updater = self._refreshed()
        folder.mkdir(parents=True, exist_ok=True)
        target = updater.get_targetinfo(name)
        if target is None:
            raise BundleDamaged(source=self._source, reason="not offered")
        file = folder / name
        with self._refusals():
            updater.download_target(target, str(file))
        return file

    def length(self, name: str) -> int:
        """Bytes of a bundle, as signed."""
        target = self._refreshed().get_targetinfo(name)
        return target.length if target else 0

    def _offer(self, name: str) -> Offer:
        target = self._refreshed().get_targetinfo(name)
        return msgspec.convert(target.unrecognized_fields.get("custom") if target else None, Offer)

    def _refreshed(self) -> Updater:
        if self._updater is None:
            raise BundleDamaged(source=self._source, reason="not refreshed")
        return self._updater

    def _pinned(self) -> bytes:
        try:
            return self._trust.read_bytes()
        except OSError as error:
            raise TrustMissing(file=self._trust, reason=error.strerror or "unreadable") from error

    def _check_clock(self) -> None:
        """A clock set back would make an expired publication good again; a box without battery clock can start so."""
        try:
            seen = datetime.fromisoformat((self._memory / "seen").read_text("ascii"))
        except (OSError, ValueError):
            return
        if self._clock.now() < seen - _SLACK:
            raise ClockBehind(seen=seen.isoformat(timespec="minutes"))

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except BundleError:
            raise
        except tuple(kind for kind, _ in REFUSALS) as error:
            said = next(ours for kind, ours in REFUSALS if isinstance(error, kind))
            raise said(source=self._source, reason=str(error)[:200]) from error
