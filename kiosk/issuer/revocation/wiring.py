"""The sources that the site file names, put together."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from device.card.credential import TrustStore
from device.clock import Clock
from kiosk.issuer.revocation.http_exchange import HttpExchange
from kiosk.issuer.revocation.list_folder import ListFolder
from kiosk.issuer.revocation.responder import Responder
from kiosk.issuer.revocation.revocation import NotAsked, Revocation
from kiosk.issuer.revocation.verdict import RevocationPort
from kiosk.issuer.settings import RevocationSettings

SEEN_FILE, WORKED_FILE = "revocation_seen.json", "ocsp_answered.txt"
"""Beside the register: the newest list of each CA, and when the responder last answered."""


def build_revocation(
    settings: RevocationSettings, state: Path, own: Path, trust: TrustStore, clock: Clock
) -> RevocationPort:
    """state: folder that the path of the lists starts from; own: folder of the issuer, written to."""
    if not settings.asked:
        return NotAsked()
    return Revocation(
        lists=lists_of(settings, state, trust, clock, own / SEEN_FILE) if settings.crl else None,
        responder=responder_of(settings, trust, clock, own / WORKED_FILE) if settings.ocsp else None,
        grace=timedelta(hours=settings.grace_hours),
        clock=clock,
    )


def lists_of(
    settings: RevocationSettings, state: Path, trust: TrustStore, clock: Clock, seen: Path, *, looking: bool = False
) -> ListFolder:
    """See ListFolder."""
    fresh = timedelta(hours=settings.fresh_hours)
    return ListFolder(state / settings.crl, trust, fresh, clock, seen, looking=looking)


def responder_of(settings: RevocationSettings, trust: TrustStore, clock: Clock, worked: Path | None) -> Responder:
    """See Responder."""
    return Responder(
        HttpExchange(settings.ocsp, settings.ocsp_seconds),
        trust,
        timedelta(hours=settings.fresh_hours),
        clock,
        method=settings.ocsp_method,
        nonce=settings.ocsp_nonce,
        worked=worked,
    )
