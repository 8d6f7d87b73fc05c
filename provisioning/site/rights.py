"""Settings that name a place or an address which a process with rights follows: what such a setting may say. Pure.

No setting names a program (a test walks the schema for it): those are root's own word, ``updates.local_commands``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from provisioning.site.mistakes import Mistake, mistake
from provisioning.site.model import Site

_ROOTS_OWN = ("/proc", "/sys", "/dev", "/root", "/home", "/boot", "/etc/ssh", "/etc/shadow", "/etc/gshadow")
_SYSTEM = (*_ROOTS_OWN, "/etc", "/usr", "/bin", "/sbin", "/lib", "/opt/hiroba", "/var/spool", "/run/systemd")
_TRUST = ("/etc/hiroba", "/etc/ssl", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates")
_CONTROL = re.compile(r"[\x00-\x20\x7f\"'\\$%]")


class PlaceRule(NamedTuple):
    """within: the folders that an absolute path must lie in; without: those that it must not; relative: whether it may
    be relative to the state folder.
    """

    within: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    relative: bool = True


WRITTEN, READ = PlaceRule(without=_SYSTEM), PlaceRule(without=_ROOTS_OWN)
PLACES: dict[str, PlaceRule] = {
    "backup.folder": PlaceRule(without=_SYSTEM, relative=False),
    "updates.trust": PlaceRule(within=_TRUST[:1], relative=False),
    "updates.cafile": PlaceRule(within=_TRUST, relative=False),
    "cityhall_link.ca": READ,
    "cityhall.certificate": READ,
    "cityhall.key": READ,
    "issuer.tls_certificate": READ,
    "issuer.tls_key": READ,
    "issuer.client_ca": READ,
    "issuer.register": WRITTEN,
    "issuer.trust": READ,
    "issuer.seal": WRITTEN,
    "issuer.font_folders": READ,
    "wifi.portal.tls_certificate": READ,
    "wifi.portal.tls_key": READ,
    "wifi.gate.socket": WRITTEN,
    "wifi.gate.database": WRITTEN,
    "wifi.smtp.ca_file": READ,
    "wifi.smtp.password_file": READ,
    "wifi.stats.database": WRITTEN,
    "wifi.spots[].dhcp.leases": WRITTEN,
    "wifi.spots[].ssids[].passphrase_file": READ,
}
"""Every key that names a file or a folder."""


def right_mistakes(site: Site) -> Iterator[Mistake]:
    """Places and addresses of ``site`` that its processes must not be led to."""
    tree = msgspec.to_builtins(site)
    for key, rule in PLACES.items():
        for found, value in _values(tree, key.split("."), ""):
            if value and not _fits(value, rule):
                places = ", ".join(rule.within or ("/var/lib/hiroba", "/media", "/srv"))
                yield mistake(found, "not_a_place", value=value, places=places)
    updates = site.updates
    if updates.source and not (updates.source.startswith("/") or _plain_url(updates.source, "https")):
        yield mistake("updates.source", "not_a_source", value=updates.source)
    for url in updates.health_urls:
        if not _plain_url(url, "http", "https"):
            yield mistake("updates.health_urls", "not_http", value=url)
    if site.cityhall and not re.match(r"postgresql(\+psycopg)?://|$", site.cityhall.database):
        yield mistake("cityhall.database", "not_postgresql")


def _values(tree: Any, path: list[str], before: str) -> Iterator[tuple[str, str]]:
    """Each (key, value) that ``path`` leads to."""
    if not path:
        yield from ((before, value) for value in ([tree] if isinstance(tree, str) else tree or []))
        return
    name, rest = path[0].removesuffix("[]"), path[1:]
    below = tree.get(name) if isinstance(tree, dict) else None
    key = f"{before}.{name}".lstrip(".")
    if below is None:
        return
    if path[0].endswith("[]"):
        for number, one in enumerate(below):
            yield from _values(one, rest, f"{key}[{number}]")
    else:
        yield from _values(below, rest, key)


def _fits(value: str, rule: PlaceRule) -> bool:
    path = PurePosixPath(value)
    if ".." in path.parts or _CONTROL.search(value):
        return False
    if not path.is_absolute():
        return rule.relative
    if rule.within:
        return any(path.is_relative_to(folder) for folder in rule.within)
    return path != PurePosixPath("/") and not any(path.is_relative_to(folder) for folder in rule.without)


def _plain_url(text: str, *schemes: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False
