"""When city hall's own credentials are over, and what staff are told before: pure but for ``ends_of``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

SERVER_SECONDS = 60 * 86400
"""A start renews the service's own credential with 90 days left; so it has missed that for a month."""
CITY_SECONDS = 365 * 86400


@dataclass(frozen=True)
class CredentialEnds:
    """Unix seconds; None: nobody knows. server: of the credential that this process shows; city: of the CA."""

    server: int | None = None
    city: int | None = None


def ends_of(server: Path, city: Path) -> CredentialEnds:
    """What the files say now."""
    return CredentialEnds(_end(server), _end(city))


def warnings(ends: CredentialEnds, now: int) -> list[tuple[str, int]]:
    """(word, days left) for each that is near its end."""
    near = (("server_expires", ends.server, SERVER_SECONDS), ("city_expires", ends.city, CITY_SECONDS))
    return [(word, (end - now) // 86400) for word, end, seconds in near if end is not None and end - now < seconds]


def _end(file: Path) -> int | None:
    try:
        return int(x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc.timestamp())
    except (OSError, ValueError):
        return None
