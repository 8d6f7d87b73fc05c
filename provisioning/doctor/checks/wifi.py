"""Interfaces, gate and portal of the Wi-Fi."""

from __future__ import annotations

from captive_portal.gate.client import SocketGateClient
from captive_portal.gate.errors import GateFault, GateUnreachable
from captive_portal.gate.protocol import Health
from device.health.finding import Finding, absent, error, ok, warning
from device.network import interfaces, missing_interfaces
from device.watchdog import http_probe, socket_probe
from provisioning.box.render import nginx_portal
from provisioning.doctor.examined_box import ExaminedBox

NEARLY_USED = 0.8
"""Part of a pool."""
LIMIT_FINDINGS = {"dns": "wifi.limit_dns", "leases": "wifi.limit_leases"}


def check(box: ExaminedBox) -> list[Finding]:
    """Looks at every interface of a spot, asks the gate, nginx and the portal behind it."""
    wifi = box.site.wifi
    if wifi is None:
        return [absent("wifi.not_here")]
    wanted = sorted({name for spot in wifi.spots for name in (spot.interface, spot.uplink)})
    missing, seen = missing_interfaces(wanted), interfaces()
    down = [name for name in wanted if name in seen and not seen[name].up]
    tls_only = bool(wifi.portal.tls_certificate) and not wifi.portal.port
    health = _health(SocketGateClient(box.state / wifi.gate.socket))
    gate = [judge_gate(health), *judge_limits(health)]
    nginx = http_probe(wifi.portal.host, wifi.portal.port, tls=tls_only)()
    portal = socket_probe(str(box.state / nginx_portal.SOCKET), "/static/icon.svg")()
    return [*judge_interfaces(missing, down), *gate, *judge_portal(nginx_answers=nginx, portal_answers=portal)]


def judge_interfaces(missing: list[str], down: list[str]) -> list[Finding]:
    """By name; nothing is said of those that are well."""
    found = [error("wifi.interface_missing", interface=name) for name in missing]
    return found + [error("wifi.interface_down", interface=name) for name in down]


def judge_portal(*, nginx_answers: bool, portal_answers: bool) -> list[Finding]:
    """What each of the two that phones need has answered: the portal is asked at its own socket."""
    found = [] if nginx_answers else [error("wifi.nginx_silent")]
    if not portal_answers:
        found.append(error("wifi.portal_silent"))
    return found or [ok("wifi.portal_answers")]


def judge_gate(health: Health | None) -> Finding:
    """health: None when the gate does not answer."""
    if health is None:
        return error("wifi.gate_unreachable")
    if not health.ready:
        return error("wifi.rules_missing")
    if health.repairs:
        return warning("wifi.rules_repaired", count=health.repairs)
    return ok("wifi.gate", online=health.online)


def judge_limits(health: Health | None) -> list[Finding]:
    """Pools that are nearly used up, and limits that somebody reached in the last ten minutes."""
    if health is None:
        return []
    found = [
        warning("wifi.leases_nearly_used", spot=pool.spot, used=pool.used, size=pool.size)
        for pool in health.pools
        if pool.used >= NEARLY_USED * pool.size
    ]
    return found + [warning(LIMIT_FINDINGS[limit]) for limit in health.limits if limit in LIMIT_FINDINGS]


def _health(client: SocketGateClient) -> Health | None:
    try:
        return client.health()
    except (GateUnreachable, GateFault):
        return None
