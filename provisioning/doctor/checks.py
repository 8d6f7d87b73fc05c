"""The checks of one box, made from its site file. A check that breaks is itself an error, never an OK."""

from __future__ import annotations

import ipaddress
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from captive_portal.gate.client import SocketGateClient
from captive_portal.gate.errors import GateFault, GateUnreachable
from device.card.drivers import open_reader
from device.clock import Clock
from device.health import readers, thresholds
from device.health.finding import Finding, Severity, absent, error, ok, warning
from device.network import default_gateways, interfaces, missing_interfaces
from device.printer.drivers import open_page_printer, open_receipt_printer
from device.store_reading import connect_for_reading
from device.watchdog import http_probe, socket_probe
from kiosk.issuer.client import HttpIssuerClient
from kiosk.issuer.errors import IssuerBroken, IssuerUnreachable
from provisioning.backup.keep import last_note
from provisioning.backup.restore import STAGE
from provisioning.box.install.units import stands_in
from provisioning.box.kiosk_screen import IDLE_SCREENS, kiosk_screen
from provisioning.box.render import nginx_portal
from provisioning.doctor.kernel import relied_on
from provisioning.doctor.updates import updates
from provisioning.site.model import Site

EARLIEST_YEAR = 2026
"""The software was made in it: a clock before that is wrong."""
KIOSK_UNIT = "hiroba-kiosk.service"
Check = Callable[[], Iterable[Finding]]


@dataclass(frozen=True)
class Box:
    """What is looked at. units: what hiroba.target wants, None where systemd does not know it."""

    site: Site
    state: Path
    clock: Clock
    units: list[str] | None

    @property
    def has_kiosk(self) -> bool:
        """Whether the touch screen runs here. Without systemd (the demo) it is taken to."""
        return self.units is None or KIOSK_UNIT in self.units


def examine(site: Site, state: Path, clock: Clock) -> list[Finding]:
    """Every finding of this box, side by side, in the order of the checks."""
    box = Box(site, state, clock, readers.wanted_units())
    checks = checks_of(box)
    with ThreadPoolExecutor(max_workers=8) as pool:
        return [finding for found in pool.map(_run, checks.items()) for finding in found]


def problem_codes(site: Site, state: Path, clock: Clock) -> list[str]:
    """Codes of warnings and errors, each once: what the heartbeat tells."""
    found = examine(site, state, clock)
    return sorted({f.code for f in found if f.severity in (Severity.WARNING, Severity.ERROR)})


def checks_of(box: Box) -> dict[str, Check]:
    """Name -> check."""
    touch_screen: dict[str, Check] = {
        "kiosk": lambda: kiosk(box),
        "reader": lambda: [reader(box)],
        "receipt_printer": lambda: [receipt_printer(box)],
        "page_printer": lambda: [page_printer(box)],
        "issuer": lambda: [issuer(box)],
    }
    wifi: dict[str, Check] = {"wifi": lambda: wireless(box), "kernel": lambda: kernel(box)} if box.site.wifi else {}
    container, is_pi = readers.container(), readers.board().startswith("Raspberry Pi")
    return {
        **(touch_screen if box.has_kiosk else {}),
        **wifi,
        "uplink": lambda: [thresholds.uplink(len(default_gateways()), needs_line(box.site))],
        "dns": lambda: [thresholds.dns(readers.dns_answers(readers.resolver()))],
        "clock": lambda: [clock(box, container)],
        "rtc": lambda: [thresholds.rtc(readers.rtc_off(), container=container)],
        "disk": lambda: disk(box.state),
        "power": lambda: [thresholds.power(readers.throttled(), board_tells=is_pi)],
        "heat": lambda: [thresholds.temperature(readers.temperature(), board_tells=is_pi)],
        "watchdog": lambda: watchdog(box, container),
        "memory": lambda: [thresholds.memory(*readers.memory())],
        "credentials": lambda: credentials(box),
        "backup": lambda: [backup(box)],
        "databases": lambda: databases(box.state),
        "updates": lambda: updates(box.site, box.clock),
        "units": lambda: units(box.units),
    }


def _run(named: tuple[str, Check]) -> list[Finding]:
    name, check = named
    try:
        return list(check())
    except Exception as broken:  # whatever it was, the other checks are wanted all the same
        return [error("doctor.check_failed", check=name, reason=type(broken).__name__)]


def kiosk(box: Box) -> list[Finding]:
    """Whether the screen answers, and whether an alarm or open matters wait for staff."""
    settings = box.site.kiosk
    answers = http_probe(settings.host, settings.port, "/state")()
    found = [ok("kiosk.answers") if answers else error("kiosk.silent")]
    if settings.terminal == "counter" and not settings.staff_code_hash:
        found.append(error("kiosk.no_staff_code"))
    file = box.state / "kiosk" / "kiosk.db"
    if file.exists():
        alarms = _count(file, "SELECT count(*) FROM alarm WHERE cleared_at IS NULL")
        unknown = _count(file, "SELECT count(*) FROM request WHERE state = 'unknown'")
        found += [error("kiosk.closed_by_alarm", count=alarms)] if alarms else []
        found += [warning("kiosk.open_matters", count=unknown)] if unknown else []
    return found


def _count(file: Path, sql: str) -> int:
    with closing(connect_for_reading(file)) as database:
        return int(database.execute(sql).fetchone()[0])


def reader(box: Box) -> Finding:
    """Card service and reader."""
    with closing(open_reader(box.site.card)) as asked:
        return thresholds.reader(asked.presence().value)


def receipt_printer(box: Box) -> Finding:
    """It talks to one at a time: while somebody is being served it is left alone."""
    screen = kiosk_screen((box.site.kiosk.host, box.site.kiosk.port))
    if screen is not None and screen not in IDLE_SCREENS:
        return absent("receipt_printer.in_use")
    return thresholds.printer("receipt_printer", open_receipt_printer(box.site.receipt_printer).condition().value)


def page_printer(box: Box) -> Finding:
    """The A4 printer."""
    return thresholds.printer("page_printer", open_page_printer(box.site.page_printer).condition().value)


def issuer(box: Box) -> Finding:
    """Whether certificates can be made."""
    client = HttpIssuerClient(box.site.issuer_link.url, 5.0)
    with closing(client):
        try:
            return ok("issuer.ready") if client.health().ready else error("issuer.not_ready")
        except (IssuerUnreachable, IssuerBroken):
            return error("issuer.unreachable")


def wireless(box: Box) -> list[Finding]:
    """Interfaces, gate, portal and nginx of the Wi-Fi."""
    wifi = box.site.wifi
    if wifi is None:
        return [absent("wifi.not_here")]
    wanted = sorted({name for spot in wifi.spots for name in (spot.interface, spot.uplink)})
    missing, seen = missing_interfaces(wanted), interfaces()
    found = [error("wifi.interface_missing", interface=name) for name in missing]
    found += [error("wifi.interface_down", interface=n) for n in wanted if n in seen and not seen[n].up]
    found.append(_gate(SocketGateClient(box.state / wifi.gate.socket)))
    tls_only = bool(wifi.portal.tls_certificate) and not wifi.portal.port
    if not http_probe(wifi.portal.host, wifi.portal.port, tls=tls_only)():
        found.append(error("wifi.nginx_silent"))
    answers = socket_probe(str(box.state / nginx_portal.SOCKET), "/static/icon.svg")()
    return [*found, ok("wifi.portal_answers") if answers else error("wifi.portal_silent")]


def _gate(client: SocketGateClient) -> Finding:
    try:
        health = client.health()
    except (GateUnreachable, GateFault):
        return error("wifi.gate_unreachable")
    if not health.ready:
        return error("wifi.rules_missing")
    return (
        warning("wifi.rules_repaired", count=health.repairs)
        if health.repairs
        else ok("wifi.gate", online=health.online)
    )


def kernel(box: Box) -> list[Finding]:
    """The settings of the kernel without which the gate does not hold."""
    return thresholds.kernel_settings(relied_on(box.site, readers.kernel_setting))


def clock(box: Box, container: str) -> Finding:
    """Whether the time is right."""
    return thresholds.clock(readers.clock_synchronised(), box.clock.now().year, EARLIEST_YEAR, container=container)


def watchdog(box: Box, container: str) -> list[Finding]:
    """The board's own watchdog, which systemd has to arm."""
    return [] if box.units is None else [thresholds.watchdog(*readers.watchdog(), container=container)]


def needs_line(site: Site) -> bool:
    """Whether something this box works with stands elsewhere."""
    host = urlsplit(site.issuer_link.url).hostname or ""
    try:
        here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = host == "localhost"
    return not here or site.wifi is not None or site.cityhall_link is not None


def disk(state: Path) -> list[Finding]:
    """Room, a written and read canary, wear, and the file system's own errors."""
    if not state.is_dir():
        return [error("disk.no_state_folder")]
    device = readers.block_device(state)
    return [
        thresholds.space(readers.space(state)),
        thresholds.canary(readers.canary(state)),
        thresholds.wear(*readers.wear(device)),
        thresholds.file_system(readers.file_system_errors(device)),
    ]


def credentials(box: Box) -> list[Finding]:
    """Everything with an end date that this box holds."""
    wifi, hall, link = box.site.wifi, box.site.cityhall, box.site.cityhall_link
    files: dict[str, Path] = {}
    if wifi and wifi.portal.tls_certificate:
        files["portal"] = box.state / wifi.portal.tls_certificate
    if link:
        files |= {"box": box.state / "enrolment" / "box.pem", "city-ca": box.state / link.ca}
    if hall and hall.certificate:
        files["cityhall"] = box.state / hall.certificate
    found = [credential(name, path, box.clock.now()) for name, path in files.items()]
    return [*found, *trusted(box)] or [absent("credential.none")]


def trusted(box: Box) -> list[Finding]:
    """The CAs of cards, generations side by side: that an old one is over is no fault while another is valid."""
    if not box.site.issuer:
        return []
    kept = sorted((box.state / box.site.issuer.trust).glob("*"))
    files = [path for path in kept if path.suffix in (".pem", ".cer", ".crt", ".der")]
    found = [credential(f"trust-{number}", path, box.clock.now()) for number, path in enumerate(files, 1)]
    valid = any(finding.code == "credential.valid" for finding in found)
    return [thresholds.superseded(finding) if valid else finding for finding in found]


def credential(name: str, path: Path, now: datetime) -> Finding:
    """One X.509 file, PEM or DER."""
    try:
        body = path.read_bytes()
        found = (x509.load_pem_x509_certificate if b"-----BEGIN" in body else x509.load_der_x509_certificate)(body)
    except (OSError, ValueError):
        return thresholds.credential(name, None, 0)
    start, end = found.not_valid_before_utc, found.not_valid_after_utc
    day = timedelta(days=1)
    return thresholds.credential(name, (end - now) // day, (end - start) // day, not_yet=start > now)


def backup(box: Box) -> Finding:
    """Hours since the last archive."""
    note = last_note(box.state)
    at = datetime.fromisoformat(note.at) if note else None
    hours = (box.clock.now().astimezone(UTC) - at).total_seconds() / 3600 if at else None
    return thresholds.last_backup(hours, wanted=box.site.backup is not None)


def databases(state: Path) -> list[Finding]:
    """A damaged file, and a restore that was not ended."""
    found = [error("restore.not_ended")] if (state / STAGE).exists() else []
    files = sorted(path for path in state.glob("*/*.db") if path.parent.name != "virtual")
    damaged = [path.name for path in files if not _sound(path)]
    found += [error("database.damaged", file=name) for name in damaged]
    return found or [ok("database.sound", count=len(files))]


def _sound(path: Path) -> bool:
    try:
        with closing(connect_for_reading(path)) as database:
            return bool(database.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except (sqlite3.Error, OSError):
        return False


def units(wanted: list[str] | None) -> list[Finding]:
    """What hiroba.target wants."""
    if wanted is None:
        return [absent("unit.no_systemd")]
    own = [name for name in wanted if name.endswith((".service", ".timer", ".socket", ".path"))]
    twins = {name: twin for name in own if (twin := stands_in(name))}
    seen = {unit.name: unit for unit in readers.units([*own, *twins.values()])}
    return [thresholds.unit(_in_charge(seen, name, twins.get(name, ""))) for name in own if name in seen]


def _in_charge(seen: Mapping[str, thresholds.Unit], name: str, twin: str) -> thresholds.Unit:
    """The unit, or the one that has its radio in a disaster."""
    other = seen.get(twin)
    return other if other and other.active == "active" else seen[name]
