"""Whether certificates can be made: the issuer answers and is ready."""

from __future__ import annotations

from contextlib import closing

from device.health.finding import Finding, error, ok
from kiosk.issuer.client import HttpIssuerClient
from kiosk.issuer.errors import IssuerBroken, IssuerUnreachable
from provisioning.doctor.examined_box import ExaminedBox


def check(box: ExaminedBox) -> list[Finding]:
    """Asks the issuer."""
    with closing(HttpIssuerClient(box.site.issuer_link.url, 5.0)) as client:
        try:
            return [judge(ready=client.health().ready)]
        except (IssuerUnreachable, IssuerBroken):
            return [judge(ready=None)]


def judge(*, ready: bool | None) -> Finding:
    """ready: None when there was no answer."""
    if ready is None:
        return error("issuer.unreachable")
    return ok("issuer.ready") if ready else error("issuer.not_ready")
