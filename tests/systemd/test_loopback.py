"""Which units reach what listens on loopback, and why each must. Whoever is not named here is cut off by the kernel."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.attacks
UNITS = Path(__file__).parents[2] / "systemd" / "system"
WHY = {
    "hiroba-kiosk": "listens there for its browser; asks an issuer on the same box",
    "hiroba-kiosk-browser": "shows the kiosk's pages (its session's slice allows loopback alone)",
    "hiroba-issuer": "listens there for the kiosk of a lone box",
    "hiroba-stats": "listens there for the staff page",
    "hiroba-cityhall": "a database on the same server",
    "hiroba-cityhall-tidy": "a database on the same server",
    "hiroba-nginx@": "answers on every address of the box that phones and boxes may use",
    "hiroba-dnsmasq@": "its own packets; it asks the resolvers that the box was given",
    "hiroba-heartbeat": "root: asks the kiosk which screen it shows",
    "hiroba-enrol-renew": "root: a city hall on the same machine (lone box, tests)",
    "hiroba-backup": "root: asks no port today; reads every folder anyway",
    "hiroba-retention": "root: the database of a city hall on the same server",
    "hiroba-update": "root: asks the kiosk whether somebody is being served",
    "hiroba-recover": "root: as update",
    "hiroba-settle": "root: as update",
}
"""Of these only the browser and root are shown a page by the kiosk (provisioning/web/local_users.py)."""
SHOWN = {"hiroba-browser", "root", "hiroba-kiosk"}


def settings(file: Path, name: str) -> list[str]:
    """All words of a setting, in order; an empty line takes away what stood before it."""
    words: list[str] = []
    for line in re.findall(rf"^{name}=(.*)$", file.read_text("utf-8"), re.MULTILINE):
        words = [*words, *line.split()] if line else []
    return words


def reaches_loopback(file: Path) -> bool:
    families = settings(file, "RestrictAddressFamilies")
    if settings(file, "PrivateNetwork") == ["yes"] or (families and not {"AF_INET", "AF_INET6"} & set(families)):
        return False
    return "any" not in settings(file, "IPAddressDeny") or any(map(has_kiosk, settings(file, "IPAddressAllow")))


def has_kiosk(allowed: str) -> bool:
    if allowed in {"localhost", "any"}:
        return True
    network = ipaddress.ip_network(allowed, strict=False)
    return any(ipaddress.ip_address(kiosk) in network for kiosk in ("127.0.0.1", "::1"))


def test_every_unit_that_reaches_loopback_has_a_reason() -> None:
    assert {f.name.removesuffix(".service") for f in UNITS.glob("hiroba-*.service") if reaches_loopback(f)} == {*WHY}


def test_the_portal_reaches_nothing_of_ours_on_loopback_and_opens_no_port() -> None:
    portal = UNITS / "hiroba-portal.service"
    assert not reaches_loopback(portal)
    assert settings(portal, "SocketBindDeny") == ["any"]
    assert "127.0.0.53" in settings(portal, "IPAddressAllow")  # systemd-resolved, for the mail server's name


def test_what_reaches_loopback_without_being_the_browser_or_root_is_another_user_than_those_shown() -> None:
    for name, why in WHY.items():
        users = settings(UNITS / f"{name}.service", "User")
        if why.startswith("root: ") or name in {"hiroba-kiosk", "hiroba-kiosk-browser"}:
            assert set(users) <= SHOWN, name
        else:
            assert users, name
            assert not set(users) & SHOWN, name


def test_the_kiosk_sees_other_users_by_their_own_numbers() -> None:
    kiosk = UNITS / "hiroba-kiosk.service"
    assert settings(kiosk, "PrivateUsers") == []  # else the kernel calls every other user 65534, the browser too
    assert "AF_NETLINK" in settings(kiosk, "RestrictAddressFamilies")
