"""The lean path: a request for any host but ours is a probe or a lost page, and is sent to the portal page.

It stands before the web framework, since a room full of phones probes thousands of times a second.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

from captive_portal.portal.http_date import HttpDate
from captive_portal.portal.plain_get import read_plain_get
from captive_portal.portal.probes import DeviceKind, kind_of
from captive_portal.settings import WifiSettings

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]
QuickWay = Callable[[bytes, str, bool], tuple[bytes, bool] | None]
"""(request, ip, tls) -> (answer, whether the connection goes on), or None: the long way."""

_MAPPED = "::ffff:"
_MAX_KEPT = 20_000  # addresses whose spot is remembered: more than phones on one box


class Origins:
    """Where a phone finds the portal: https at its name when there is TLS, else the gateway of its own spot, because
    then nothing vouches for a name and no name server is needed.
    """

    def __init__(self, settings: WifiSettings) -> None:
        portal = settings.portal
        self._named = f"https://{portal.name}" if portal.tls_certificate else ""
        self._port = portal.port
        self._networks = [(_network(s.ipv4.gateway, s.ipv4.prefix), s.ipv4.gateway) for s in settings.spots]
        self._networks += [
            (ipaddress.ip_network(s.ipv6.network), f"[{s.ipv6.gateway}]")
            for s in settings.spots
            if s.ipv6.mode != "off" and s.ipv6.gateway
        ]
        self._kept: dict[str, str] = {}
        self.hosts = frozenset(self._own_hosts(settings))

    def of(self, ip: str) -> str:
        """Scheme, host and port for the phone at ``ip``, without a trailing slash."""
        if self._named:
            return self._named
        origin = self._kept.get(ip)
        if origin is None:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            origin = self._kept[ip] = f"http://{self._gateway(ip)}:{self._port}"
        return origin

    def _gateway(self, ip: str) -> str:
        try:
            address = ipaddress.ip_address(ip)
        except ValueError:
            return self._networks[0][1]
        return next((gateway for network, gateway in self._networks if address in network), self._networks[0][1])

    def _own_hosts(self, settings: WifiSettings) -> set[str]:
        names = {settings.portal.name.lower(), "localhost", "127.0.0.1", "[::1]", *(g for _, g in self._networks)}
        ports = ("", ":80", ":443", f":{settings.portal.port}", f":{settings.portal.tls_port}")
        return {name + port for name in names for port in ports}


def plain_ip(ip: str) -> str:
    """The IPv4 address of an IPv4 phone on a socket for both families, else the address itself."""
    return ip.removeprefix(_MAPPED)


def _network(gateway: str, prefix: int) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(f"{gateway}/{prefix}", strict=False)


class ProbeRedirect:
    """WSGI: 302 to the portal for every foreign host, with the kind of device as a hint; ours goes to ``app``.
    quick: the answer of some of ours, for servers that can do without WSGI (quick.Quick).
    """

    def __init__(self, app: WsgiApp, origins: Origins, quick: QuickWay | None = None) -> None:
        self._app = app
        self.quick = quick
        self._origins = origins
        self._date = HttpDate()
        self._answers: dict[tuple[str, DeviceKind], list[tuple[str, str]]] = {}
        self._whole: dict[tuple[str, DeviceKind], bytes] = {}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """See PEP 3333."""
        host, ip = environ.get("HTTP_HOST", ""), environ.get("REMOTE_ADDR", "")
        if ip.startswith(_MAPPED):  # an IPv4 phone on a socket for both
            ip = environ["REMOTE_ADDR"] = ip.removeprefix(_MAPPED)
        if host in self._origins.hosts or host.lower() in self._origins.hosts:
            return self._app(environ, start_response)
        kind = kind_of(host, environ.get("PATH_INFO", ""), environ.get("HTTP_USER_AGENT", ""))
        start_response("302 Found", self._headers(self._origins.of(ip), kind))
        return ()

    def at_once(self, raw: bytes, ip: str) -> bytes | None:
        """The whole answer to a whole request in ``raw``, when it is a plain GET for a foreign host; None: ask as PEP
        3333. For servers that can answer before a thread and a parser have been spent on it.
        """
        asked = read_plain_get(raw)
        if asked is None or asked.host.lower() in self._origins.hosts:
            return None
        origin = self._origins.of(plain_ip(ip))
        kind = kind_of(asked.host, asked.path, asked.agent)
        kept = self._whole.get((origin, kind))
        if kept is None:
            lines = "".join(f"{name}: {value}\r\n" for name, value in self._headers(origin, kind))
            kept = self._whole[(origin, kind)] = f"HTTP/1.1 302 Found\r\n{lines}".encode("ascii")
        return b"%bDate: %b\r\n\r\n" % (kept, self._date.now().encode("ascii"))

    def _headers(self, origin: str, kind: DeviceKind) -> list[tuple[str, str]]:
        """Made once per origin and kind; a fresh list each time, since servers may write into it."""
        kept = self._answers.get((origin, kind))
        if kept is None:
            kept = self._answers[(origin, kind)] = [
                ("Location", f"{origin}/?d={kind.value}"),
                ("Cache-Control", "no-store"),
                ("Content-Length", "0"),
                ("Connection", "close"),  # kept, it would lead here even after the phone has logged in
            ]
        return kept.copy()
