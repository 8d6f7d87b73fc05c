"""Composition root of the gate: ``run`` is what ``hiroba run gate`` calls."""

from __future__ import annotations

import os
import pwd
import signal
import threading
from pathlib import Path

from captive_portal.gate.database import Database
from captive_portal.gate.disaster_file import DisasterFile
from captive_portal.gate.enforcer import Enforcer
from captive_portal.gate.errors import KernelRefused
from captive_portal.gate.kernel import netlink
from captive_portal.gate.kernel.address_bindings import KernelAddressBindings
from captive_portal.gate.kernel.bridge_isolation import BridgePortIsolation
from captive_portal.gate.kernel.limit_watch import LimitWatch
from captive_portal.gate.kernel.packet_filter import NftPacketFilter
from captive_portal.gate.kernel.routing_rules import RoutingRules
from captive_portal.gate.kernel.uplink_networks import UplinkNetworks
from captive_portal.gate.permissions import callers
from captive_portal.gate.policy.identity import connection_seed
from captive_portal.gate.server import Server
from captive_portal.settings import WifiSettings
from device.audit import Audit
from device.clock import Clock
from device.logs import Log

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def run(settings: WifiSettings, state: Path, clock: Clock, log: Log, box: str = "") -> None:
    """Serve until SIGTERM or SIGINT. box: its name, for the connection log. Needs CAP_NET_ADMIN in the network
    namespace of the spots' interfaces. On return the kernel's rules stay: closed for phones without a session, open
    for the others until their time-outs. Raises StoreError, KernelRefused, OSError when it cannot start; the rules of
    an earlier run then stay as well.
    """
    _make_folders(state, settings)
    database = Database(state / settings.gate.database, settings.log, box)
    kernel = NftPacketFilter()
    bindings = KernelAddressBindings(settings, state, clock, connection_seed(database.token_key()))
    ruleset_monitor = netlink.open_ruleset_monitor()
    enforcer = Enforcer(
        settings,
        database=database,
        kernel=kernel,
        bindings=bindings,
        clock=clock,
        boot=BOOT_ID.read_text().strip(),
        audit=Audit(database.store, clock),
        log=log,
        limit_watch=LimitWatch(settings, state, kernel, clock, log),
        on_disaster_change=DisasterFile((state / settings.gate.socket).with_name("disaster")).update,
    )
    isolation = BridgePortIsolation((spot.interface for spot in settings.spots), log)
    isolation.isolate_ports()
    routing_rules = RoutingRules((spot.interface for spot in settings.spots), log)
    routing_rules.prohibit_unmarked()
    uplinks = UplinkNetworks(spot.uplink for spot in settings.spots)
    enforcer.follow_uplinks(uplinks.read())
    enforcer.start()
    if not routing_rules.enable_forwarding(ipv6=any(spot.ipv6.mode != "off" for spot in settings.spots)):
        log.warning("forwarding_not_switched")
    known = callers(os.getuid(), settings.gate.clients, settings.gate.staff, _user_id)
    server = Server(state / settings.gate.socket, known, enforcer, clock, log)
    pid = os.getpid()
    server.watch(
        ruleset_monitor,
        lambda: enforcer.schedule_verify() if netlink.changed_by_other_process(ruleset_monitor, pid) else None,
    )
    server.watch(isolation.link_monitor, isolation.on_link_change)
    for monitor in routing_rules.monitors:
        server.watch(monitor, routing_rules.on_change)
    for monitor in uplinks.monitors:
        server.watch(monitor, lambda: _follow_uplinks(uplinks, enforcer, log))
    _stop_on_signal(server)
    try:
        server.serve()
    finally:
        enforcer.stop()
        for each in (ruleset_monitor, isolation, routing_rules, uplinks, bindings, kernel):
            each.close()


def _follow_uplinks(uplinks: UplinkNetworks, enforcer: Enforcer, log: Log) -> None:
    uplinks.drain()
    try:
        enforcer.follow_uplinks(uplinks.read())
    except KernelRefused as error:
        log.error("kernel_refused", what=error.facts.get("what"), reason=error.facts.get("reason"))


def _make_folders(state: Path, settings: WifiSettings) -> None:
    """Other users may reach the socket, which authorises them itself; files of the gate are for its user alone."""
    for path in (settings.gate.database, settings.gate.socket):
        (state / path).parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    os.umask(0o077)


def _user_id(name: str) -> int | None:
    """None when this box has no such user."""
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def _stop_on_signal(server: Server) -> None:
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: server.stop())
