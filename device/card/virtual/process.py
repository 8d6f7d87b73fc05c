"""The virtual card as a process that follows a small state file, so that a person or another program can work it.

``python -m device.card.virtual.process --state FILE --cards DIR --port N`` keeps the card of the state file inserted in
the vpcd at that port.
"""

from __future__ import annotations

import argparse
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from device.card.virtual.card import VirtualCard
from device.card.virtual.vpcd import VpcdSlot
from device.files import atomic_write

POLL_SECONDS = 0.05
EMPTY_SECONDS = 0.5
"""How long the reader stays empty between two cards. pcscd looks every 400 ms (docs/sources.md#pcsc-service); a card
back within one look, after an exchange broke off, would never be seen again. No hand is faster either.
"""


class CardState(msgspec.Struct, frozen=True, kw_only=True):
    """What shall lie on the reader. card: name of a folder of cards; apdu_delay_ms: how slow the chip is."""

    inserted: bool = False
    card: str = "demo"
    apdu_delay_ms: int = 0


class CardReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the process tells: apdus served since it started."""

    apdus: int = 0


def report_file(state: Path) -> Path:
    """Where the process that follows ``state`` tells its CardReport."""
    return state.with_suffix(".report.json")


def read_report(path: Path) -> CardReport:
    """The report in ``path``; a missing file is an empty report."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=CardReport)
    except (OSError, msgspec.MsgspecError):
        return CardReport()


def read_state(path: Path) -> CardState:
    """The state in ``path``; a missing or unreadable file means no card."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=CardState)
    except (OSError, msgspec.MsgspecError):
        return CardState()


def write_state(path: Path, state: CardState) -> None:
    """Replace the state file atomically."""
    _replace(path, msgspec.json.encode(state))


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, content, mode=0o644, durable=False)


def insert(path: Path, card: str | None = None) -> CardState:
    """Put the chosen card (or ``card``) on the reader."""
    return _change(path, inserted=True, card=card)


def remove(path: Path) -> CardState:
    """Take the card away."""
    return _change(path, inserted=False)


def choose(path: Path, card: str) -> CardState:
    """Choose which card the next insert takes; one that lies there is exchanged."""
    return _change(path, card=card)


def slow_down(path: Path, apdu_delay_ms: int) -> CardState:
    """Let the chip think this many milliseconds over each APDU."""
    return _change(path, apdu_delay_ms=apdu_delay_ms)


def card_names(cards: Path) -> list[str]:
    """The cards one may choose from."""
    return sorted(folder.parent.name for folder in cards.glob("*/card.json"))


def _change(path: Path, **wanted: object) -> CardState:
    given = {name: value for name, value in wanted.items() if value is not None}
    state = msgspec.structs.replace(read_state(path), **given)
    write_state(path, state)
    return state


class CardProcess:
    """Follows the state file. ``step`` is one round of its loop."""

    def __init__(self, state: Path, cards: Path, host: str, port: int) -> None:
        self._path = state
        self._cards = cards
        self._where = (host, port)
        self._slot: VpcdSlot | None = None
        self._inserted_card: str | None = None
        self._state = CardState()
        self._looked_at = self._empty_since = float("-inf")
        self._served = self._told = 0

    @property
    def inserted_card(self) -> str | None:
        """The card on the reader, or None."""
        return self._inserted_card

    def step(self) -> None:
        """Look at the state file if it is time, then serve pcscd for a moment."""
        now = time.monotonic()
        if now - self._looked_at >= POLL_SECONDS:
            self._state, self._looked_at = read_state(self._path), now
            self._follow()
            self.tell()
        if self._slot is None:
            time.sleep(POLL_SECONDS)
        elif not self._slot.step(POLL_SECONDS, self._state.apdu_delay_ms / 1000):
            self.withdraw()

    def withdraw(self) -> None:
        """Take the card away, whatever the state file says."""
        if self._slot is not None:
            self._served += self._slot.apdus
            self._slot.close()
            self._empty_since = time.monotonic()
        self._slot = self._inserted_card = None

    def tell(self) -> None:
        """Write the report when it has changed."""
        apdus = self._served + (self._slot.apdus if self._slot else 0)
        if apdus != self._told:
            _replace(report_file(self._path), msgspec.json.encode(CardReport(apdus=apdus)))
            self._told = apdus

    def _follow(self) -> None:
        wanted = self._state.card if self._state.inserted else None
        if wanted == self._inserted_card:
            return
        self.withdraw()
        folder = self._cards / Path(wanted or "").name
        rested = time.monotonic() - self._empty_since >= EMPTY_SECONDS
        if wanted and rested and (folder / "card.json").exists():
            self._insert(wanted, folder)

    def _insert(self, name: str, folder: Path) -> None:
        try:
            self._slot = VpcdSlot(VirtualCard.load(folder), *self._where)
        except OSError:
            return  # no vpcd there yet: the next round tries again
        self._inserted_card = name


def run(state: Path, cards: Path, port: int, stop: threading.Event, host: str = "127.0.0.1") -> None:
    """Follow ``state`` until ``stop`` is set."""
    process = CardProcess(state, cards, host, port)
    while not stop.is_set():
        process.step()
    process.withdraw()
    process.tell()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; ends on SIGTERM and SIGINT."""
    parser = argparse.ArgumentParser(prog="virtual-card", description="A virtual My Number card on vpcd")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--cards", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run(given.state, given.cards, given.port, stop)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
