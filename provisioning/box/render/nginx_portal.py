"""The portal behind nginx: requests to foreign hosts are redirected, those to its own names are proxied. Pure.

The kinds of device are the table of ``captive_portal.portal.probes`` as maps; tests ask both and compare.
"""

from __future__ import annotations

import ipaddress
import re
from importlib import resources
from pathlib import Path

from captive_portal.portal.app import MAX_BODY
from captive_portal.portal.origins import Origins
from captive_portal.portal.probes import AGENTS, PROBES
from captive_portal.settings import PortalSettings, WifiSettings
from device.web_headers import HEADERS, PageKind
from provisioning.box.render.nginx import NginxRuntime, Tls, block, listen, proxied, quoted, tls, upstream
from provisioning.box.render.nginx_pages import error_pages
from provisioning.box.render.refusal import CannotRender
from provisioning.site.mistakes import Mistake

SOCKET = Path("portal/web.sock")
"""Below the state folder."""
REQUESTS_PER_SECOND, REQUEST_BURST, MAX_CONCURRENT = 20, 60, 16
"""Per IP address, for pages and forms. A phone with many addresses is limited by its MAC in the packet filter
(captive_portal/gate/kernel/ruleset.py, MAX_CONNECTIONS).
"""
ONLY_PHONES = "if ($from_phone = 0) { return 444; }"
"""Closes the connection of whoever is neither at a spot nor on the box itself, before anything is said. Listening on
the gateway addresses alone would not do: nginx does not start where one of them is not there yet, and the kernel takes
a packet for any address of the box by any interface. The packet filter and the unit close the ports as well.
"""
_DAY = "max-age=86400"
_NAME = re.compile(r"[0-9a-z.:\[\]-]+")


def portal(wifi: WifiSettings, state: Path, runtime: NginxRuntime) -> list[str]:
    """The texts inside ``http``. Raises CannotRender."""
    origins = Origins(wifi)
    own = block("server", _portal_server(wifi.portal, state, runtime, origins))
    return [
        *_device_kinds(),
        *_origin(origins),
        _phones(wifi),
        f"limit_req_zone $binary_remote_addr zone=portal_requests:2m rate={REQUESTS_PER_SECOND}r/s;",
        "limit_conn_zone $binary_remote_addr zone=portal_connections:2m;",
        "limit_req_status 429;",
        "limit_conn_status 429;",
        upstream("portal", state / SOCKET),
        block("server", _redirect_server(wifi.portal, state, runtime, origins)),
        own,
    ]


def pair_of(portal: PortalSettings, state: Path) -> Tls | None:
    """The portal's TLS files, if it has any."""
    return Tls(state / portal.tls_certificate, state / portal.tls_key) if portal.tls_certificate else None


def _redirect_server(portal: PortalSettings, state: Path, runtime: NginxRuntime, origins: Origins) -> list[str]:
    """Every probe and every other host. Without keep-alive, so that no connection is used on after the log-in."""
    origin = quoted(origins.tls_origin)[1:-1] if origins.tls_origin else "$portal_origin"
    return [
        *_listen(portal, state, runtime, "default_server backlog=2048"),
        ONLY_PHONES,
        "keepalive_timeout 0;",
        *error_pages(runtime),
        block(
            "location /",
            [
                'if ($http_host = "") { return 400; }',
                "add_header Cache-Control no-store always;",
                f"return 302 {origin}/?d=$device_kind;",
            ],
        ),
    ]


def _portal_server(portal: PortalSettings, state: Path, runtime: NginxRuntime, origins: Origins) -> list[str]:
    static = Path(str(resources.files("captive_portal.portal") / "static"))
    alias = [f"alias {quoted(f'{static}/')};"]
    limits = [
        f"limit_req zone=portal_requests burst={REQUEST_BURST} nodelay;",
        f"limit_conn portal_connections {MAX_CONCURRENT};",
    ]
    return [
        *_listen(portal, state, runtime),
        ONLY_PHONES,
        f"server_name {' '.join(_host(name) for name in origins.hosts)};",
        f"client_max_body_size {MAX_BODY};",
        *error_pages(runtime),
        block("location /", [*limits, *proxied("portal")]),
        block("location /static/", [*alias, *security_headers(_DAY), "limit_except GET { deny all; }"]),
    ]


def _listen(portal: PortalSettings, state: Path, runtime: NginxRuntime, flags: str = "") -> list[str]:
    lines = listen(portal.host, portal.port, runtime, flags)
    pair = pair_of(portal, state)
    if pair is None:
        return lines
    return [*lines, *listen(portal.host, portal.tls_port, runtime, "ssl", flags), *tls(pair, "portal_tls")]


def security_headers(cache: str) -> list[str]:
    """The security headers, for the responses of nginx itself."""
    return [
        f"add_header {name} {quoted_header(value)} always;"
        for name, value in {**HEADERS[PageKind.PORTAL], "Cache-Control": cache}.items()
    ]


def quoted_header(value: str) -> str:
    """Quoted; the semicolons of a policy are allowed there. Raises CannotRender."""
    if re.search(r"[\"\\$\x00-\x1f\x7f]", value):
        raise CannotRender(Mistake("nginx", "breaks_line"))
    return f'"{value}"'


def _host(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise CannotRender(Mistake("wifi.portal.name", "breaks_line"))
    return name


def _origin(origins: Origins) -> list[str]:
    """Without TLS: the gateway of the phone's spot, by its address."""
    if origins.tls_origin:
        return []
    rows = [f"{network} {origin};" for network, origin in reversed(origins.by_network)]
    return [block("geo $portal_origin", [f"default {origins.by_network[0][1]};", *dict.fromkeys(rows)])]


def _phones(wifi: WifiSettings) -> str:
    """$from_phone: 1 for the spots' networks and the box itself."""
    inside = ["127.0.0.0/8", "::1/128"]
    for spot in wifi.spots:
        inside.append(str(ipaddress.ip_network(f"{spot.ipv4.gateway}/{spot.ipv4.prefix}", strict=False)))
        inside += [spot.ipv6.network, "fe80::/10"] if spot.ipv6.mode != "off" else []
    return block("geo $from_phone", ["default 0;", *(f"{network} 1;" for network in dict.fromkeys(inside))])


def _device_kinds() -> list[str]:
    """$device_kind: by host and path, else by host, else by path, else by User-Agent."""
    exact = {f"{p.host} {p.path}": p.kind.value for p in reversed(PROBES) if p.host != "*" and p.path != "*"}
    hosts = {p.host: p.kind.value for p in reversed(PROBES) if p.host != "*" and p.path == "*"}
    paths = {p.path: p.kind.value for p in reversed(PROBES) if p.host == "*"}
    agents = [f"{quoted(f'~*{mark}')} {kind.value};" for mark, kind in AGENTS]
    return [
        block("map $http_user_agent $kind_by_agent", ["default other;", *agents]),
        _map("$uri", "$kind_by_path", "$kind_by_agent", paths),
        _map("$host", "$kind_by_host", "$kind_by_path", hosts),
        _map('"$host $uri"', "$device_kind", "$kind_by_host", exact),
    ]


def _map(source: str, target: str, default: str, rows: dict[str, str]) -> str:
    return block(
        f"map {source} {target}", [f"default {default};", *(f"{quoted(k)} {v};" for k, v in sorted(rows.items()))]
    )
