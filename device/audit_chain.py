"""The chain of an audit: each line's SHA-256 covers the line before it. Pure.

Lines that are past their age are deleted from the front (device.audit.Audit.prune). What then is the first line is held
by a later one, ``audit_pruned``, that names the number and hash of the last deleted line: it lies in the chain itself,
so nobody can write it afterwards without changing the head that city hall holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from device.errors import AuditBroken

GENESIS = "0" * 64
PRUNED = "audit_pruned"
_PLAUSIBLE = "2025"
"""A time before it is of a clock that was not set."""


class ChainRow(NamedTuple):
    """One line as it is stored. facts: JSON text."""

    sequence: int
    at: str
    event: str
    facts: str
    hash: str


class ChainEnd(NamedTuple):
    """Number and hash of a line; (0, GENESIS) is before the first."""

    lines: int
    head: str


START = ChainEnd(0, GENESIS)


def link(previous: str, sequence: int, at: str, event: str, facts: str) -> str:
    """The hash of a line."""
    return hashlib.sha256("\n".join([previous, str(sequence), at, event, facts]).encode()).hexdigest()


def walk(rows: Iterable[ChainRow], start: ChainEnd) -> ChainEnd:
    """Check every line after ``start``, oldest first; the end. Raises AuditBroken with the first that does not fit."""
    end = start
    for row in rows:
        expected = link(end.head, end.lines + 1, row.at, row.event, row.facts)
        if row.sequence != end.lines + 1 or row.hash != expected:
            raise AuditBroken(sequence=end.lines + 1)
        end = ChainEnd(row.sequence, expected)
    return end


def start_of(first: int, pruned: Iterable[ChainRow]) -> ChainEnd:
    """Where a chain begins whose oldest line is ``first``. pruned: its lines of that name. Raises AuditBroken when
    lines are missing that none of them tells of.
    """
    if first == 1:
        return START
    for row in pruned:
        facts = json.loads(row.facts)
        if facts.get("until") == first - 1:
            return ChainEnd(first - 1, str(facts.get("head")))
    raise AuditBroken(sequence=1)


def last_old(times: Sequence[tuple[int, str]], before: str) -> int:
    """The last of the lines, from the front, that are older than ``before`` (ISO 8601, one zone); 0 for none. A line
    whose clock was not set yet is as old as the next one. times: (sequence, at), oldest first.
    """
    young = next((place for place, (_, at) in enumerate(times) if at >= before), len(times))
    while young and times[young - 1][1] < _PLAUSIBLE:
        young -= 1
    return times[young - 1][0] if young else 0
