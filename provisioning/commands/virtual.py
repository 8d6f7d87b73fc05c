"""``hiroba virtual``: operate the virtual card and printers by hand."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from device.card.virtual import process as card_process
from device.clock import SystemClock
from device.logs import open_log
from device.printer import virtual_faults
from device.process_lock import take_process_lock
from provisioning.commands.options import DEMO_STATE, site_options
from provisioning.commands.wifi_site import wifi_of
from provisioning.errors import NotFound
from provisioning.site.reading import read_site
from provisioning.virtual import VirtualFolder
from provisioning.web.serving import check_port

state_option = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    default=DEMO_STATE,
    show_default=True,
    help="State folder of the demo.",
)
port_option = click.option("--port", type=click.IntRange(1, 65535), required=True, help="Port to use.")


@click.group("virtual")
def command() -> None:
    """Work the virtual card and printers."""


@command.group()
def card() -> None:
    """The virtual My Number card."""


@card.command("insert")
@state_option
@click.argument("name", required=False)
def insert(state: Path, name: str | None) -> None:
    """Put the card (or the card called NAME) on the reader."""
    _known(state, name)
    card_process.insert(VirtualFolder(state).card_state, name)


@card.command("remove")
@state_option
def remove(state: Path) -> None:
    """Take the card away."""
    card_process.remove(VirtualFolder(state).card_state)


@card.command("choose")
@state_option
@click.argument("name")
def choose(state: Path, name: str) -> None:
    """Choose which card the next insert takes."""
    _known(state, name)
    card_process.choose(VirtualFolder(state).card_state, name)


@card.command("list")
@state_option
def list_cards(state: Path) -> None:
    """List the cards."""
    for name in card_process.card_names(VirtualFolder(state).pki / "cards"):
        click.echo(name)


@card.command("slow")
@state_option
@click.argument("milliseconds", type=click.IntRange(0, 5000))
def slow(state: Path, milliseconds: int) -> None:
    """Let the chip think MILLISECONDS over each APDU."""
    card_process.slow_down(VirtualFolder(state).card_state, milliseconds)


@card.command("serve")
@state_option
@port_option
def serve_card(state: Path, port: int) -> None:
    """Run the card's process against the vpcd at PORT."""
    folder = VirtualFolder(state)
    card_process.run(folder.card_state, folder.pki / "cards", port, _until_told())


@command.group()
def receipt() -> None:
    """The virtual receipt printer."""


@receipt.command("serve")
@state_option
@port_option
def serve_receipt(state: Path, port: int) -> None:
    """Run the receipt printer."""
    from device.printer.virtual_receipt.server import VirtualReceiptPrinter

    check_port("127.0.0.1", port)
    with VirtualReceiptPrinter(VirtualFolder(state).receipt, port):
        _until_told().wait()


@command.group()
def page() -> None:
    """The virtual A4 printer."""


@page.command("serve")
@state_option
@port_option
def serve_page(state: Path, port: int) -> None:
    """Run the A4 printer."""
    from device.printer.virtual_page.server import VirtualPagePrinter

    check_port("127.0.0.1", port)
    with VirtualPagePrinter(VirtualFolder(state).page, port):
        _until_told().wait()


@command.group()
def gate() -> None:
    """The Wi-Fi's gate, without a network."""


@gate.command("serve")
@site_options
def serve_gate(config: Path, state: Path) -> None:
    """Run a gate that keeps sessions in memory; a phone stands at 127.0.0.1."""
    from captive_portal.wiring_virtual_gate import build_virtual_gate

    wifi = wifi_of(read_site(config), config, "hiroba virtual gate")
    take_process_lock((state / wifi.gate.database).parent, "gate", mode=0o711)
    server = build_virtual_gate(wifi, state, SystemClock(), open_log("gate"), ["127.0.0.1"])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    server.serve()


def _until_told() -> threading.Event:
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    return told


def _known(state: Path, name: str | None) -> None:
    if name is not None and name not in card_process.card_names(VirtualFolder(state).pki / "cards"):
        raise NotFound(what_ja="カード", what_en="card", name=name)


def _fault_command(group: click.Group, word: str, *, receipt_printer: bool) -> None:
    @group.command(word, help=f"Make the printer: {word}.")
    @state_option
    def set_fault(state: Path) -> None:
        folder = VirtualFolder(state)
        where = folder.receipt if receipt_printer else folder.page
        virtual_faults.set_condition(where, virtual_faults.WORDS[word])


def _fault_commands() -> None:
    for word in virtual_faults.WORDS:
        _fault_command(page, word, receipt_printer=False)
        if word not in ("jam", "toner-out"):
            _fault_command(receipt, word, receipt_printer=True)


_fault_commands()
