"""Whether the issuer can learn that a card was revoked: lists that are fresh, a responder that answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from device.card.credential import TrustStore
from device.errors import SettingsError
from device.health.finding import Finding, error, ok, warning
from kiosk.issuer.revocation.ocsp_messages import AnswerRefused
from kiosk.issuer.revocation.revocation_list import RevocationList
from kiosk.issuer.revocation.wiring import SEEN_FILE, lists_of, responder_of
from kiosk.issuer.settings import IssuerSettings, RevocationSettings
from provisioning.doctor.examined_box import ExaminedBox

PROBE_SERIAL = 1
"""Of no card: the responder is only to answer, whatever it says of it."""


def check(box: ExaminedBox) -> list[Finding]:
    """Reads the lists as the issuer does, and asks the responder about nobody's card."""
    issuer = box.site.issuer
    if issuer is None or not issuer.revocation.asked:
        return [warning("revocation.none")]
    try:
        trust = TrustStore.load(box.state / issuer.trust)
    except SettingsError:
        return [error("revocation.no_trust")]
    return [*_lists(box, issuer, trust), *_responder(box, issuer.revocation, trust), *_grace(issuer.revocation)]


def judge_list(found: RevocationList | None, fresh: timedelta, now: datetime, name: str) -> Finding:
    """found: the list in force of one CA; None: there is none."""
    if found is None:
        return error("revocation.list_missing", name=name)
    hours = round((now - found.this_update) / timedelta(hours=1))
    left = found.good_until(fresh) - now
    if left < timedelta(0):
        return error("revocation.list_stale", name=name, hours=hours)
    return ok("revocation.list_fresh", name=name, hours=hours)


def _lists(box: ExaminedBox, issuer: IssuerSettings, trust: TrustStore) -> Iterator[Finding]:
    if not issuer.revocation.crl:
        return
    now, fresh = box.clock.now(), timedelta(hours=issuer.revocation.fresh_hours)
    seen = (box.state / issuer.register).with_name(SEEN_FILE)
    folder = lists_of(issuer.revocation, box.state, trust, box.clock, seen, looking=True)
    by_key = {found.issuer_key: found for found in folder.lists()}
    current = [(key, one) for key, one in trust.authorities() if now <= one.not_valid_after_utc]
    for key, _ in current:
        yield judge_list(by_key.get(key), fresh, now, key[:8])
    for file, reason in folder.refused():
        yield warning("revocation.list_refused", file=file, reason=reason)


def _responder(box: ExaminedBox, settings: RevocationSettings, trust: TrustStore) -> Iterator[Finding]:
    if not settings.ocsp:
        return
    newest = max(trust.authorities(), key=lambda one: one[1].not_valid_before_utc)[0]
    try:
        responder_of(settings, trust, box.clock, None).question(newest, PROBE_SERIAL)
    except AnswerRefused as refused:
        yield error("revocation.responder_silent", reason=str(refused.facts["reason"]))
    else:
        yield ok("revocation.responder_answers")


def _grace(settings: RevocationSettings) -> Iterator[Finding]:
    if settings.grace_hours:
        yield warning("revocation.grace", hours=settings.grace_hours)
