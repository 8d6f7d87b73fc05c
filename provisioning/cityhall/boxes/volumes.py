"""City hall's half of the keys of encrypted volumes: given to the box that made it, while that box is not cut off.

A box asks before its volume is open, so it has no credential then; it signs with a key of the volume's own, which opens
nothing else. The question is bound to the chain (clones.py): of a copied card, the second to ask closes the key.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from sqlalchemy import select

from provisioning.cityhall.boxes.clones import FORKED, Link, Verdict, close, line_of, link_of, take
from provisioning.cityhall.database import Database
from provisioning.cityhall.tables import Box, Volume

UNLOCK_CONTEXT = b"hiroba unlock 1\x00"
"""As provisioning.storage.keys has it; a test holds them equal."""
MAX_VOLUMES = 16
"""Of one box: each re-flashing makes one. None is forgotten for a new one, or a copy could shut the box out."""


class Volumes:
    """Keeps and gives the halves. now: unix seconds."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database, self._now = database, now

    def register(self, box: str, volume: str, key: str, recovery: str) -> str | None:
        """A new half (hex) for ``box``, which mutual TLS has named. None: malformed, too many,
        or the id is another's."""
        if _public_key(key) is None or not volume.isalnum():
            return None
        with self._database.transaction() as session:
            if session.get(Volume, volume) is not None:
                return None
            if len(session.scalars(select(Volume.id).where(Volume.box == box)).all()) >= MAX_VOLUMES:
                return None
            made = Volume(
                id=volume, box=box, key=key, share=secrets.token_hex(32), recovery=recovery, made_at=self._now(),
                openings=0, chain="", chain_before="",
            )  # fmt: skip
            session.add(made)
            return made.share

    def unlock(self, volume: str, header: str, signature: str) -> tuple[str, str]:
        """(half, "") or ("", why not): volume_unknown, signature, box_revoked, box_forked. header: HAVE/NEXT."""
        link = link_of(header)
        with self._database.transaction() as session:
            found = session.get(Volume, volume, with_for_update=True)
            if found is None or link is None:
                return "", "volume_unknown"
            if not _signed(found.key, volume, link, signature):
                return "", "signature"
            box = session.get(Box, found.box)
            if box is None or box.state != "active":
                return "", "box_forked" if box is not None and box.state == FORKED else "box_revoked"
            if take(found, link) is Verdict.FORKED:
                close(session, box, line_of(session, box.name), "volume", self._now())
                return "", "box_forked"
            found.opened_at, found.openings = self._now(), found.openings + 1
            return found.share, ""

    def recovery(self, box: str) -> list[tuple[str, str]]:
        """(volume, its recovery key sealed to the city's back-up key) of ``box``, newest first."""
        with self._database.transaction() as session:
            rows = session.scalars(select(Volume).where(Volume.box == box).order_by(Volume.made_at.desc()))
            return [(row.id, row.recovery) for row in rows]


def _public_key(pem: str) -> ec.EllipticCurvePublicKey | None:
    try:
        key = load_pem_public_key(pem.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm, UnicodeEncodeError):
        return None
    return key if isinstance(key, ec.EllipticCurvePublicKey) else None


def _signed(pem: str, volume: str, link: Link, signature: str) -> bool:
    key = _public_key(pem)
    message = UNLOCK_CONTEXT + f"{volume}/{link.have}/{link.next}".encode()
    try:
        if key is not None:
            key.verify(base64.b64decode(signature, validate=True), message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error):
        return False
    return key is not None
