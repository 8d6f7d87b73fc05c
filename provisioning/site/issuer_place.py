"""Where a box's issuer is, by its site file, and what issuer and kiosk know each other by. Pure."""

from __future__ import annotations

from pathlib import Path

from kiosk.issuer.connection import CredentialFiles
from provisioning.site.model import Site

CREDENTIAL, KEY = Path("enrolment/box.pem"), Path("enrolment/box-key.pem")
"""As enrolment writes them, below the state folder (provisioning/enrolment/identity.py)."""


def credential_files(site: Site, state: Path) -> CredentialFiles | None:
    """The city's CA and this box's credential; None for a box without [cityhall_link]."""
    link = site.cityhall_link
    return CredentialFiles(state / link.ca, state / CREDENTIAL, state / KEY) if link else None


def city_hall_here(site: Site) -> bool:
    """Whether city hall's service is on this machine: it is then asked about each request of a kiosk."""
    return site.cityhall is not None and "cityhall" in site.box.parts


def asks_for_list(site: Site) -> bool:
    """Whether this box has an issuer for kiosks elsewhere that asks another machine which boxes are admitted."""
    return site.issuer is not None and site.issuer.serves_others and not city_hall_here(site)
