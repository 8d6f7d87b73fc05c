"""The file in which the sealed connection log is carried to city hall: a JSON object a line. Pure.

A record is ``day``, ``sealed`` (base64) and, since it is chained, ``link``; the last line is the box's ``statement``,
with an empty day, which release 0.1 at city hall passes over.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from captive_portal.gate.connection_log.chain import ChainLink, Record, Statement


class Held(NamedTuple):
    """What a box holds of some days; statement: None in a file of a release without a chain."""

    records: list[Record]
    statement: Statement | None = None


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    day: str
    sealed: bytes
    link: ChainLink | None = None
    statement: Statement | None = None


def file_text(held: Held) -> str:
    """The file."""
    lines = [_Line(record.day, record.box, record.link) for record in held.records]
    if held.statement:
        lines.append(_Line("", b"", None, held.statement))
    return "".join(msgspec.json.encode(line).decode() + "\n" for line in lines)


def read_file(text: str) -> Held:
    """What ``file_text`` wrote, or release 0.1. Raises ValueError for anything else."""
    try:
        lines = [msgspec.json.decode(line, type=_Line) for line in text.splitlines()]
    except msgspec.MsgspecError as error:
        raise ValueError("no file of sealed boxes") from error
    statements = [line.statement for line in lines if line.statement]
    records = [Record(line.day, line.sealed, line.link) for line in lines if line.statement is None]
    return Held(records, statements[0] if len(statements) == 1 else None)
