"""Puts the portal together: settings and state folder in, a WSGI application and its mail thread out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from captive_portal.gate.client import GateClient, SocketGateClient
from captive_portal.portal.app import WsgiApp, create_app
from captive_portal.portal.languages import read_catalogues
from captive_portal.portal.login.methods import build_methods
from captive_portal.portal.mail import NoMailQueue, SmtpMailQueue
from captive_portal.portal.records import open_records
from captive_portal.portal.tokens import read_key
from captive_portal.settings import WifiSettings
from device.clock import Clock
from device.logs import Log
from device.store import Store


@dataclass(frozen=True)
class Portal:
    """The built portal. ``start`` after the fork, ``stop`` before the worker ends."""

    app: WsgiApp
    start: Callable[[], None]
    stop: Callable[[], None]


def portal_key(state: Path) -> bytes:
    """The portal's key under the state folder: forms, code hashes, voucher hashes."""
    return read_key(state / "portal" / "key")


def build_portal(settings: WifiSettings, state: Path, clock: Clock, log: Log, gate: GateClient | None = None) -> Portal:
    """One worker's portal. ``gate``: instead of the socket of the settings, for the demo. Raises SettingsError,
    StoreError.
    """
    store, key, catalogues = open_records(state), portal_key(state), read_catalogues()
    mail_queue = SmtpMailQueue(settings.smtp, state, log) if settings.smtp else None
    methods = build_methods(store, key, clock, mail_queue or NoMailQueue(), catalogues)
    client = gate or SocketGateClient(state / settings.gate.socket)
    app = create_app(settings, client, clock, log, key=key, methods=methods)

    def stop() -> None:
        if mail_queue:
            mail_queue.stop()
        store.close()

    return Portal(app, mail_queue.start if mail_queue else _nothing, stop)


def open_vouchers(state: Path) -> tuple[Store, bytes]:
    """The arguments of ``voucher.make_batch``, for the staff's command."""
    return open_records(state), portal_key(state)


def _nothing() -> None:
    """No mail, no thread."""
