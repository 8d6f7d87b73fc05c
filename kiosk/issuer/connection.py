"""How a kiosk reaches its issuer: by mutual TLS, or by the socket of an issuer on the same box.

Mutual TLS trusts the city's CA alone, never the system's, and shows the credential that enrolment wrote. A renewed
credential is taken up by the next connection. Plain HTTP is for loopback alone.
"""

from __future__ import annotations

import ipaddress
import ssl
from http.client import HTTP_PORT, HTTPS_PORT
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import SplitResult, urlsplit

from device.http_exchange import BoundedConnection, Where
from device.network_reads import Limits
from kiosk.issuer.errors import LinkInsecure, NoCredential

LOCAL_SOCKET = Path("issuer-local/web.sock")
"""Of an issuer on the same box, below the state folder: who may open it is this box's kiosk (systemd/tmpfiles.d)."""
Stamp = tuple[object, ...]


class CredentialFiles(NamedTuple):
    """PEM files: the city's CA, the box's certificate and its key."""

    ca: Path
    certificate: Path
    key: Path


class Connector(Protocol):
    """Makes connections to one issuer."""

    def connect(self, limits: Limits) -> BoundedConnection:
        """A connection that is opened by its first request. Raises NoCredential."""
        ...

    def stamp(self) -> Stamp:
        """Changes when connections made before must not be used any more."""
        ...


class MutualTls:
    """HTTPS to ``host`` and ``port`` with the box's credential."""

    def __init__(self, host: str, port: int | None, files: CredentialFiles) -> None:
        self._host, self._port, self._files = host, port, files
        self._made: tuple[Stamp, ssl.SSLContext] | None = None

    def connect(self, limits: Limits) -> BoundedConnection:
        """See Connector."""
        return BoundedConnection(Where(self._host, self._port or HTTPS_PORT, self._context()), limits)

    def stamp(self) -> Stamp:
        """See Connector. Of the three files."""
        return tuple(_version(file) for file in self._files)

    def _context(self) -> ssl.SSLContext:
        stamp, made = self.stamp(), self._made
        if made is None or made[0] != stamp:
            made = self._made = (stamp, self._load())
        return made[1]

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # no CA is trusted until one is loaded; names are checked
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        try:
            context.load_verify_locations(self._files.ca)
        except (OSError, ssl.SSLError) as error:
            raise NoCredential(file=self._files.ca) from error
        try:
            context.load_cert_chain(self._files.certificate, self._files.key)
        except (OSError, ssl.SSLError) as error:
            raise NoCredential(file=self._files.certificate) from error
        return context


class LocalSocket:
    """HTTP over a unix socket: the kernel's file rights say who may open it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def connect(self, limits: Limits) -> BoundedConnection:
        """See Connector."""
        return BoundedConnection(Where("localhost", 0, socket=self._path), limits)

    def stamp(self) -> Stamp:
        """See Connector."""
        return ()


class PlainLoopback:
    """HTTP to a loopback address: for an issuer in the same test or bench."""

    def __init__(self, host: str, port: int | None) -> None:
        self._host, self._port = host, port

    def connect(self, limits: Limits) -> BoundedConnection:
        """See Connector."""
        return BoundedConnection(Where(self._host, self._port or HTTP_PORT), limits)

    def stamp(self) -> Stamp:
        """See Connector."""
        return ()


def connector_of(url: str, credential: CredentialFiles | None = None) -> Connector:
    """url: "https://host:port", "unix:/path", or "http://" to a loopback address. credential: for https. Raises
    LinkInsecure for any other.
    """
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return LocalSocket(Path(parts.path))
    if parts.scheme == "https" and parts.hostname and credential is not None:
        return MutualTls(parts.hostname, parts.port, credential)
    if parts.scheme == "http" and is_loopback(parts):
        return PlainLoopback(parts.hostname or "", parts.port)
    raise LinkInsecure(url=url)


def link_of(url: str, state: Path) -> str:
    """The url for ``connector_of`` that a site file means: "" is the issuer of this box, and so is plain HTTP to
    loopback, which is how site files of earlier releases say it. state: the state folder.
    """
    return f"unix:{state.absolute() / LOCAL_SOCKET}" if means_own_issuer(url) else url


def means_own_issuer(url: str) -> bool:
    """Whether [issuer_link] url means the issuer of this box."""
    return not url or (url.startswith("http://") and is_loopback(urlsplit(url)))


def is_loopback(parts: SplitResult) -> bool:
    """Whether a URL's host is this machine, whatever a resolver says."""
    host = parts.hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _version(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
