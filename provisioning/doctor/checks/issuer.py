"""Whether certificates can be made: the issuer answers and is ready."""

from __future__ import annotations

from contextlib import closing

from device.health.finding import Finding, error, ok
from kiosk.issuer.client import HttpIssuerClient
from kiosk.issuer.connection import link_of
from kiosk.issuer.errors import IssuerBroken, IssuerBusy, IssuerUnreachable, LinkInsecure
from kiosk.issuer.protocol import KIOSK_NOT_ASKED, KIOSK_REFUSED, PATH_UNKNOWN, PROTOCOL_RETIRED
from provisioning.doctor.examined_box import ExaminedBox
from provisioning.site.issuer_place import credential_files

_REFUSALS = {
    KIOSK_REFUSED: "issuer.refused",
    KIOSK_NOT_ASKED: "issuer.not_asked",
    PROTOCOL_RETIRED: "issuer.other_release",
    PATH_UNKNOWN: "issuer.other_release",
}
"""Code of the protocol -> what is found."""


def check(box: ExaminedBox) -> list[Finding]:
    """Asks the issuer."""
    url = box.site.issuer_link.url
    try:
        client = HttpIssuerClient(link_of(url, box.state), 5.0, credential_files(box.site, box.state))
    except LinkInsecure:
        return [judge(ready=None, refusal="issuer.insecure")]
    with closing(client):
        try:
            return [judge(ready=client.health().ready)]
        except IssuerBroken as broken:
            return [judge(ready=None, refusal=_REFUSALS.get(str(broken.facts["code"]), "issuer.unreachable"))]
        except (IssuerUnreachable, IssuerBusy):
            return [judge(ready=None)]


def judge(*, ready: bool | None, refusal: str = "issuer.unreachable") -> Finding:
    """ready: None when there was no answer, or a refusal."""
    if ready is None:
        return error(refusal)
    return ok("issuer.ready") if ready else error("issuer.not_ready")
