"""The small state file by which a person, or another program, makes a virtual printer fail and recover."""

from __future__ import annotations

from pathlib import Path

import msgspec

from device.files import atomic_write
from device.printer.status import Condition

FILE = "printer.json"
WORDS: dict[str, Condition] = {
    "ok": Condition.READY,
    "paper-low": Condition.PAPER_LOW,
    "paper-out": Condition.PAPER_OUT,
    "cover-open": Condition.COVER_OPEN,
    "jam": Condition.JAM,
    "toner-out": Condition.TONER_OUT,
    "offline": Condition.OFFLINE,
    "silent": Condition.SILENT,
}
"""What ``hiroba virtual receipt|page WORD`` may say."""


class PrinterState(msgspec.Struct, frozen=True, kw_only=True):
    """How the virtual printer is. seconds_per_page: how slow the A4 printer is; lost_answers: how many of its next
    answers get lost after the work (create, send, cancel) was done.
    """

    condition: Condition = Condition.READY
    seconds_per_page: float = 0.05
    lost_answers: int = 0


def read_state(folder: Path) -> PrinterState:
    """The state in ``folder``; a missing or unreadable file means a ready printer."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=PrinterState)
    except (OSError, msgspec.MsgspecError):
        return PrinterState()


def write_state(folder: Path, state: PrinterState) -> None:
    """Replace the state file atomically."""
    replace_file(folder / FILE, msgspec.json.encode(state))


def set_condition(folder: Path, condition: Condition) -> PrinterState:
    """Put the printer of ``folder`` into ``condition``; all else stays as it is."""
    state = msgspec.structs.replace(read_state(folder), condition=condition)
    write_state(folder, state)
    return state


def replace_file(path: Path, content: bytes) -> None:
    """Write a file of a virtual device, in a folder that is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, content, mode=0o644, durable=False)
