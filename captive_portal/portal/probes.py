"""The captive-portal probes of phones, as a table: system, host, path, and the answer that means "online".

Before log-in every one of them (and every other Host on port 80) is redirected; after log-in the gate lets them through
to the Internet, so the portal never forges an answer (docs/sources.md#captive-checks). Pure.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class DeviceKind(Enum):
    """A phone's system by its probe or User-Agent; only counted in statistics."""

    APPLE = "apple"
    ANDROID = "android"
    WINDOWS = "windows"
    FIREFOX = "firefox"
    LINUX = "linux"
    KINDLE = "kindle"
    NINTENDO = "nintendo"
    PLAYSTATION = "playstation"
    OTHER = "other"

    @classmethod
    def parse(cls, text: str) -> DeviceKind:
        """The kind named ``text``; OTHER for anything unknown."""
        return _BY_VALUE.get(text, cls.OTHER)


_BY_VALUE = {kind.value: kind for kind in DeviceKind}


class Probe(NamedTuple):
    """One row: host ("*" any), path ("*" any), the kind of client, and the status and body start that mean online."""

    host: str
    path: str
    kind: DeviceKind
    online_status: int
    online_body: str


K = DeviceKind
PROBES: tuple[Probe, ...] = (
    Probe("captive.apple.com", "*", K.APPLE, 200, "<HTML><HEAD><TITLE>Success</TITLE>"),
    Probe("www.apple.com", "/library/test/success.html", K.APPLE, 200, "<HTML><HEAD><TITLE>Success</TITLE>"),
    Probe("netcts.cdn-apple.com", "*", K.APPLE, 200, "<HTML><HEAD><TITLE>Success</TITLE>"),
    Probe("*", "/hotspot-detect.html", K.APPLE, 200, "<HTML><HEAD><TITLE>Success</TITLE>"),
    Probe("connectivitycheck.gstatic.com", "*", K.ANDROID, 204, ""),
    Probe("connectivitycheck.android.com", "*", K.ANDROID, 204, ""),
    Probe("clients3.google.com", "/generate_204", K.ANDROID, 204, ""),
    Probe("www.gstatic.com", "/generate_204", K.ANDROID, 204, ""),
    Probe("www.google.com", "/gen_204", K.ANDROID, 204, ""),
    Probe("play.googleapis.com", "/generate_204", K.ANDROID, 204, ""),
    Probe("*", "/gen_204", K.ANDROID, 204, ""),
    Probe("*", "/generate_204", K.ANDROID, 204, ""),
    Probe("*", "/generate_205", K.ANDROID, 204, ""),
    Probe("*", "/mobile/status.php", K.ANDROID, 204, ""),
    Probe("www.msftconnecttest.com", "*", K.WINDOWS, 200, "Microsoft Connect Test"),
    Probe("ipv6.msftconnecttest.com", "*", K.WINDOWS, 200, "Microsoft Connect Test"),
    Probe("*", "/connecttest.txt", K.WINDOWS, 200, "Microsoft Connect Test"),
    Probe("www.msftncsi.com", "*", K.WINDOWS, 200, "Microsoft NCSI"),
    Probe("*", "/ncsi.txt", K.WINDOWS, 200, "Microsoft NCSI"),
    Probe("detectportal.firefox.com", "/success.txt", K.FIREFOX, 200, "success"),
    Probe("detectportal.firefox.com", "*", K.FIREFOX, 200, '<meta http-equiv="refresh"'),
    Probe("nmcheck.gnome.org", "*", K.LINUX, 200, "NetworkManager is online"),
    Probe("network-test.debian.org", "*", K.LINUX, 200, "NetworkManager is online"),
    Probe("connectivity-check.ubuntu.com", "*", K.LINUX, 204, ""),
    Probe("fedoraproject.org", "/static/hotspot.txt", K.LINUX, 200, "OK"),
    Probe("ping.archlinux.org", "/nm-check.txt", K.LINUX, 200, "NetworkManager is online"),
    Probe("spectrum.s3.amazonaws.com", "*", K.KINDLE, 200, "81ce4465-7167-4dcb-835b-dcc9e44c112a"),
    Probe("*", "/kindle-wifi/wifistub.html", K.KINDLE, 200, "81ce4465-7167-4dcb-835b-dcc9e44c112a"),
    Probe("conntest.nintendowifi.net", "*", K.NINTENDO, 200, "This is test.html page"),
    Probe("ctest.cdn.nintendo.net", "*", K.NINTENDO, 200, "ok"),
)
"""First match wins: put a row for one host before a row for any host."""

_EXACT = {(p.host, p.path): p for p in reversed(PROBES) if p.host != "*" and p.path != "*"}
_HOSTS = {p.host: p for p in reversed(PROBES) if p.host != "*" and p.path == "*"}
_PATHS = {p.path: p for p in reversed(PROBES) if p.host == "*"}
AGENTS = (
    ("captivenetworksupport", K.APPLE),
    ("iphone", K.APPLE),
    ("ipad", K.APPLE),
    ("mac os x", K.APPLE),
    ("nintendo", K.NINTENDO),
    ("playstation", K.PLAYSTATION),
    ("kindle", K.KINDLE),
    ("silk/", K.KINDLE),
    ("android", K.ANDROID),
    ("dalvik", K.ANDROID),
    ("cros ", K.ANDROID),
    ("windows", K.WINDOWS),
    ("ncsi", K.WINDOWS),
    ("networkmanager", K.LINUX),
    ("linux", K.LINUX),
)
"""Part of a User-Agent in lower case -> the kind; first match wins."""


def bare_host(host: str) -> str:
    """A Host header without port, in lower case; IPv6 in brackets loses the brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().rstrip(".")


def find_probe(host: str, path: str) -> Probe | None:
    """The matching row, or None. ``host`` may carry a port."""
    name = bare_host(host)
    return _EXACT.get((name, path)) or _HOSTS.get(name) or _PATHS.get(path)


def kind_of(host: str, path: str, agent: str) -> DeviceKind:
    """The kind of device by its probe, else by its User-Agent."""
    probe = find_probe(host, path)
    if probe:
        return probe.kind
    return kind_of_agent(agent)


def kind_of_agent(agent: str) -> DeviceKind:
    """The kind of device by its User-Agent alone."""
    lowered = agent.lower()
    return next((kind for mark, kind in AGENTS if mark in lowered), K.OTHER)
