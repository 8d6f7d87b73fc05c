"""The plaza's wires: every client of the product meets a server that means ill, and comes back with its own error.

The first part finds by the source who opens connections, so that a new client cannot be forgotten here.
"""

from __future__ import annotations

import ast
import ssl
import threading
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, TypeVar, cast

import pytest
from tuf.api import exceptions

from captive_portal.portal.mail import Mail, SmtpMailQueue
from captive_portal.settings import SmtpSettings
from device.clock import SystemClock
from device.http_exchange import NO_HTTP, Where, exchange
from device.logs import open_log
from device.network_reads import AnswerTooLarge, ExchangeTooSlow, Limits
from device.printer import ipp
from device.printer.page_printer import IppPagePrinter
from device.printer.receipt_printer import NetworkReceiptPrinter
from device.printer.settings import PagePrinterSettings, ReceiptPrinterSettings
from device.printer.status import Condition
from device.sender import LineDown
from device.watchdog import http_probe, socket_probe
from kiosk.issuer.client import HttpIssuerClient
from kiosk.issuer.connection import CredentialFiles
from kiosk.issuer.errors import IssuerBroken, IssuerUnreachable
from kiosk.issuer.revocation.http_exchange import HttpExchange
from kiosk.issuer.revocation.ocsp_messages import AnswerRefused
from provisioning.box.health import url_check
from provisioning.box.kiosk_screen import kiosk_screen
from provisioning.cityhall.errors import EnrolmentRefused
from provisioning.cityhall.settings import CityHallLinkSettings
from provisioning.enrolment.city_hall_client import CityHallClient
from provisioning.updates.client import HttpsFetcher
from tests.attacks.unkind_server import Unkind, unkind
from tests.fixtures.mail_server import wait_for
from tests.fixtures.tls import write_test_credential

ROOT = Path(__file__).parents[2]
ROOMS = ("device", "kiosk", "captive_portal", "provisioning")
OPENERS = {
    *("create_connection", "HTTPConnection", "HTTPSConnection", "urlopen", "build_opener", "SMTP", "SMTP_SSL"),
    *("open_connection", "wrap_socket", "PoolManager", "Network", "fromfd"),
}
"""What opens a connection in the standard library and in dependencies that have such; and socket.socket."""
MODULE = {"device/network_reads.py", "device/http_exchange.py"}
REASONS = {
    "captive_portal/portal/mail.py": "smtplib's class, over a connection of network_reads",
    "device/printer/receipt_printer.py": "python-escpos connects with the time-out; reads are counted down by a clock",
    "device/watchdog.py": "systemd's datagram, and one read from our own socket",
    "device/health/readers.py": "one datagram to the resolver and one answer",
    "device/loopback.py": "binds a port and connects to nothing",
    "device/card/pcscd.py": "pcscd's own unix socket, connected to and closed",
    "device/card/virtual/vpcd.py": "the virtual card's loop, on loopback",
    "captive_portal/gate/client.py": "the gate's own unix socket",
    "captive_portal/gate/server.py": "the gate's own unix socket",
    "captive_portal/gate/kernel/netlink.py": "the kernel",
    "device/socket_owner.py": "the kernel",
    "provisioning/web/active_worker.py": "the worker that took over from this one, on loopback",
    "provisioning/web/serving.py": "binds a port and connects to nothing",
    "provisioning/web/gunicorn_server.py": "listens",
}
MEASURES = ("provisioning/bench/", "provisioning/demo/")
"""Rooms of a checkout alone, on no box; they speak to processes that they started themselves."""
T = TypeVar("T")
SECONDS = 0.4
"""What an exchange may take in these tests."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            yield str(file.relative_to(ROOT)), ast.parse(file.read_text("utf-8"))


def opens_connections(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in OPENERS:
            return True
        foreign = isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] not in ROOMS
        if foreign and isinstance(node, ast.ImportFrom) and OPENERS & {name.name for name in node.names}:
            return True
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute) and called.attr == "socket":
            return True
        if isinstance(node, ast.ImportFrom) and node.module == "socket" and "socket" in {n.name for n in node.names}:
            return True
    return False


def uses_the_module(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and node.module in {"device.network_reads", "device.http_exchange"}
        for node in ast.walk(tree)
    )


def test_whoever_opens_a_connection_does_it_in_one_place_or_is_named_with_a_reason() -> None:
    found = {file for file, tree in sources() if opens_connections(tree)}
    elsewhere = {file for file in found - MODULE if not file.startswith(MEASURES)}
    assert elsewhere == REASONS.keys()


def test_every_client_of_that_place_is_run_below() -> None:
    found = {file for file, tree in sources() if uses_the_module(tree)} - MODULE
    assert found == {file for _, file, _ in CLIENTS.values()} - {"device/printer/receipt_printer.py"}


def test_the_walk_sees_each_way_to_open_a_connection() -> None:
    for text in (
        "import socket\nsocket.socket()",
        "from socket import socket",
        "import http.client as h\nh.HTTPConnection('a')",
        "from urllib.request import urlopen",
        "import smtplib\nclass S(smtplib.SMTP): pass",
        "import ssl\nssl.create_default_context().wrap_socket(s)",
        "import asyncio\nasyncio.open_connection()",
    ):
        assert opens_connections(ast.parse(text))


@pytest.fixture(scope="module")
def credential(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_test_credential(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def server_tls(credential: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*credential)
    return context


def trusting(credential: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(credential))


def page_printer(port: int, _credential: Path) -> object:
    settings = PagePrinterSettings(uri=f"ipp://127.0.0.1:{port}/ipp/print", timeout_seconds=SECONDS)
    return IppPagePrinter(settings).condition() in {Condition.SILENT, Condition.FAULT}


def receipt_printer(port: int, _credential: Path) -> object:
    settings = ReceiptPrinterSettings(host="127.0.0.1", port=port, timeout_seconds=0.1)
    return not NetworkReceiptPrinter(settings).condition().can_print


def watchdog(port: int, _credential: Path) -> object:
    socket_probe(("127.0.0.1", port), seconds=SECONDS)()
    return http_probe("127.0.0.1", port, seconds=SECONDS)() in {True, False}  # any whole answer counts


def screen(port: int, _credential: Path) -> object:
    return kiosk_screen(("127.0.0.1", port), SECONDS) is None


def health(port: int, _credential: Path) -> object:
    return url_check(f"http://127.0.0.1:{port}/", SECONDS)() != ""


def issuer(port: int, _credential: Path) -> object:
    with pytest.raises((IssuerUnreachable, IssuerBroken)):
        HttpIssuerClient(f"http://127.0.0.1:{port}", SECONDS).health()
    return True


def issuer_tls(port: int, credential: Path) -> object:
    files = CredentialFiles(credential, credential, credential.with_name("test-key.pem"))
    with pytest.raises((IssuerUnreachable, IssuerBroken)):
        HttpIssuerClient(f"https://localhost:{port}", SECONDS, files).health()
    return True


def city_hall(port: int, credential: Path) -> object:
    settings = CityHallLinkSettings(host="localhost", enrol_port=port, ca=str(credential), timeout_seconds=SECONDS)
    nobody = cast(Any, SimpleNamespace(certificate_file=credential, key_file=credential))
    with pytest.raises((LineDown, EnrolmentRefused)):
        CityHallClient(settings, Path("/"), nobody, SystemClock()).enrolment("name")
    return True


def responder(port: int, _credential: Path) -> object:
    with pytest.raises(AnswerRefused):
        HttpExchange(f"http://127.0.0.1:{port}/ocsp", SECONDS).post(b"question")
    return True


def updates(port: int, credential: Path) -> object:
    fetcher = HttpsFetcher(f"https://localhost:{port}", credential, SECONDS)
    with pytest.raises(exceptions.DownloadError):
        fetcher.download_bytes("file", 500_000)
    return True


def mail_by(security: Literal["starttls", "tls"]) -> Callable[[int, Path], object]:
    def mail(port: int, credential: Path) -> object:
        log = StringIO()
        settings = SmtpSettings(host="localhost", port=port, ca_file=credential.name, security=security)
        queue = SmtpMailQueue(settings, credential.parent, open_log("portal", log), pauses=(), seconds=SECONDS)
        queue.start()
        queue.enqueue(Mail("visitor@example.jp", "s", "t"))
        wait_for(lambda: "mail_not_sent" in log.getvalue())
        queue.stop()
        return "mail_sent" not in log.getvalue()

    return mail


PLAIN, TLS = False, True
CLIENTS: dict[str, tuple[bool, str, Callable[[int, Path], object]]] = {
    "page printer": (PLAIN, "device/printer/page_printer.py", page_printer),
    "receipt printer": (PLAIN, "device/printer/receipt_printer.py", receipt_printer),
    "watchdog": (PLAIN, "device/watchdog.py", watchdog),
    "kiosk's screen": (PLAIN, "provisioning/box/kiosk_screen.py", screen),
    "health check": (PLAIN, "provisioning/box/health.py", health),
    "issuer": (PLAIN, "kiosk/issuer/client.py", issuer),
    "issuer over TLS": (TLS, "kiosk/issuer/connection.py", issuer_tls),
    "revocation responder": (PLAIN, "kiosk/issuer/revocation/http_exchange.py", responder),
    "mail": (PLAIN, "captive_portal/portal/mail.py", mail_by("starttls")),
    "mail over TLS": (TLS, "captive_portal/portal/mail.py", mail_by("tls")),
    "city hall": (TLS, "provisioning/enrolment/city_hall_client.py", city_hall),
    "updates": (TLS, "provisioning/updates/client.py", updates),
}
"""Name -> whether it speaks TLS, its file, and a run that is true when it came back with its own error."""


def bounded(work: Callable[[], T]) -> T:
    """What ``work`` gives; fails when it does not come back at all."""
    found: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(30)
    if failed:
        raise failed[0]
    assert found, "it is still held"
    return found[0]


@pytest.mark.parametrize("how", Unkind, ids=lambda how: how.name)
@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_comes_back_from_a_server_that_means_ill(
    name: str, how: Unkind, credential: tuple[Path, Path], server_tls: ssl.SSLContext
) -> None:
    speaks_tls, _, run = CLIENTS[name]
    with unkind(how, server_tls if speaks_tls else None) as port:
        assert bounded(lambda: run(port, credential[0]))


@pytest.mark.parametrize("how", [Unkind.SILENT, Unkind.DRIP, Unkind.ENDLESS], ids=lambda how: how.name)
@pytest.mark.parametrize("name", [name for name, (tls, _, _) in CLIENTS.items() if tls])
def test_a_client_comes_back_from_half_a_handshake(name: str, how: Unkind, credential: tuple[Path, Path]) -> None:
    with unkind(how) as port:
        assert bounded(lambda: CLIENTS[name][2](port, credential[0]))


def test_a_handshake_that_drips_within_its_form_ends_too(credential: tuple[Path, Path]) -> None:
    # A record of TLS that says it has 16 kB, byte by byte: no byte of it is wrong.
    import socket

    listener, stop = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"\x16\x03\x03\x40\x00")
            while not stop.wait(0.02):
                connection.send(b"\x02")

    threading.Thread(target=serve, daemon=True).start()
    where = Where("localhost", int(listener.getsockname()[1]), trusting(credential[0]))
    with pytest.raises(OSError, match="timed out"):
        bounded(lambda: exchange(where, "GET", "/", seconds=SECONDS, max_bytes=10))
    stop.set()
    listener.close()


def test_too_slow_and_too_large_have_their_own_codes() -> None:
    with unkind(Unkind.DRIP_BODY) as port, pytest.raises(AnswerTooLarge) as large:
        exchange(Where("127.0.0.1", port), "GET", "/", seconds=SECONDS, max_bytes=1000)
    with unkind(Unkind.DRIP_HEAD) as port, pytest.raises(NO_HTTP) as slow:
        exchange(Where("127.0.0.1", port), "GET", "/", seconds=SECONDS, max_bytes=1000)
    assert (large.value.code, str(ExchangeTooSlow())) == ("network.answer_too_large", "network.too_slow")
    assert isinstance(slow.value, TimeoutError)


def test_a_time_that_is_over_stays_over_and_moved_bytes_earn_more_of_it() -> None:
    now = [0.0]
    limits = Limits(10, 50, min_rate=10, monotonic=lambda: now[0])
    limits.received(50)
    limits.body(950)
    limits.sent(60)
    limits.received(40)
    now[0] = 19.0
    assert limits.left() == 1.0
    now[0] = 20.0
    with pytest.raises(ExchangeTooSlow):
        limits.left()
    with pytest.raises(AnswerTooLarge):
        limits.received(911)


@pytest.mark.parametrize("count", [1000, 2000])
def test_a_long_answer_of_a_printer_is_read_in_steps_that_grow_with_it_alone(count: int) -> None:
    # One attribute of many values took time by the square of their number: 0.9 MB two minutes.
    steps = [0]

    class Counting(bytes):
        def __getitem__(self, key: Any) -> Any:
            found = bytes.__getitem__(self, key)
            steps[0] += len(found) if isinstance(found, bytes) else 1
            return found

    message = ipp.IppMessage(
        0, 1, (ipp.Group(ipp.Tag.PRINTER, (ipp.attribute("a", ipp.Tag.KEYWORD, *["value"] * count),)),)
    )
    found = ipp.decode(Counting(ipp.encode(message)))
    assert len(found.group(ipp.Tag.PRINTER).all("a")) == count
    assert steps[0] < 20 * count


def test_an_answer_of_a_megabyte_is_read() -> None:
    values = ["v" * 10] * 60_000
    answer = ipp.IppMessage(0, 1, (ipp.Group(ipp.Tag.PRINTER, (ipp.attribute("a", ipp.Tag.KEYWORD, *values),)),))
    assert bounded(lambda: ipp.decode(ipp.encode(answer))).group(ipp.Tag.PRINTER).all("a") == tuple(values)
