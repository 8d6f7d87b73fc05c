"""The audits of a box, and what is compared of them: each line with the one before, and the whole with the heads that
city hall has and told this box in its answers (``enrolment/audit-heads.json``).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from device.audit import hash_at, verify_chain
from device.audit_chain import ChainEnd
from device.errors import AuditBroken
from device.files import atomic_write
from device.store_reading import connect_for_reading
from provisioning.site.model import Site

HEADS_FILE = Path("enrolment/audit-heads.json")
"""Below the state folder: part -> [lines, head]."""
_HEX = frozenset("0123456789abcdef")


class Verdict(StrEnum):
    """What can be said of one audit. whole: each line fits, and so does what city hall has. not_compared: each line
    fits, and city hall told nothing of it. broken: a line does not fit. shortened, replaced: it does not go on from
    what city hall has. missing: city hall has a head of it, and there is none here.
    """

    WHOLE = "whole"
    NOT_COMPARED = "not_compared"
    BROKEN = "broken"
    SHORTENED = "shortened"
    REPLACED = "replaced"
    MISSING = "missing"


class Judged(NamedTuple):
    """part: kiosk, gate, portal, issuer, register, or the file of another audit. lines: how many it has; the first
    wrong one where it is broken.
    """

    part: str
    verdict: Verdict
    lines: int


def audits_of(site: Site, state: Path) -> dict[str, Path]:
    """Part -> SQLite file, of the audits whose heads go to city hall and that are there."""
    return {part: file for part, file in files_of(site, state).items() if file.exists()}


def files_of(site: Site, state: Path) -> dict[str, Path]:
    """The same, whether the files are there or not."""
    files = {"kiosk": state / "kiosk" / "kiosk.db", "portal": state / "portal" / "audit.db"}
    if site.wifi:
        files["gate"] = state / site.wifi.gate.database
    if site.issuer:
        files["issuer"] = (state / site.issuer.register).with_name("ledger.db")
        files["register"] = state / site.issuer.register
    return files


def every_audit(site: Site, state: Path) -> dict[str, Path]:
    """The same, and every other database below ``state`` that has an audit."""
    named = audits_of(site, state)
    others = sorted(path for path in state.glob("*/*.db") if path.parent.name != "virtual")
    more = {str(path.relative_to(state)): path for path in others if path not in named.values() and _has_audit(path)}
    return {**named, **more}


def judge_all(site: Site, state: Path, newest: int | None = None) -> list[Judged]:
    """Every audit of this box; ones that city hall knows and that are gone. newest: walk no more lines than these."""
    heads, files = known_heads(state), every_audit(site, state)
    missing = [Judged(part, Verdict.MISSING, 0) for part in heads if part not in files]
    return [*(judge(part, file, heads.get(part), newest) for part, file in files.items()), *missing]


def judge(part: str, file: Path, known: ChainEnd | None, newest: int | None = None) -> Judged:
    """One audit. known: what city hall has of it."""
    try:
        with closing(connect_for_reading(file)) as connection:
            end = verify_chain(connection, newest)
            there = hash_at(connection, known.lines) if known else None
            pruned_to = int(connection.execute("SELECT coalesce(min(sequence), 1) FROM audit").fetchone()[0]) - 1
    except AuditBroken as error:
        return Judged(part, Verdict.BROKEN, int(str(error.facts["sequence"])))
    except (sqlite3.Error, OSError, ValueError):
        return Judged(part, Verdict.BROKEN, 0)
    return Judged(part, _verdict(end, known, there, pruned_to), end.lines)


def _verdict(end: ChainEnd, known: ChainEnd | None, there: str | None, pruned_to: int) -> Verdict:
    if known is None or known.lines <= pruned_to:
        return Verdict.NOT_COMPARED
    if end.lines < known.lines:
        return Verdict.SHORTENED
    return Verdict.WHOLE if there == known.head else Verdict.REPLACED


def known_heads(state: Path) -> dict[str, ChainEnd]:
    """What city hall told; nothing where it told nothing yet."""
    try:
        tree = json.loads((state / HEADS_FILE).read_text("ascii"))
        return {str(part): ChainEnd(int(lines), str(head)) for part, (lines, head) in tree.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def keep_heads(state: Path, told: Mapping[str, ChainEnd]) -> None:
    """Keep what city hall told, unless it only goes on from what is kept: an older head is compared as well as a new
    one, and is not written to the card at every heartbeat.
    """
    kept = known_heads(state)
    sound = {part: end for part, end in told.items() if len(end.head) == 64 and _HEX.issuperset(end.head)}
    if kept.keys() == sound.keys() and all(0 <= sound[part].lines - kept[part].lines < _STEP for part in kept):
        return
    text = json.dumps({part: list(end) for part, end in sorted(sound.items())})
    with suppress(OSError):  # the heartbeat goes on; the next one writes it
        atomic_write(state / HEADS_FILE, text.encode(), mode=0o644)


_STEP = 500
"""Lines after which a newer head is kept."""


def past_facts(state: Path, files: Mapping[str, Path]) -> dict[str, str | int]:
    """For the heartbeat: what stands here where city hall's head ends, so that city hall compares as well."""
    facts: dict[str, str | int] = {}
    for part, known in known_heads(state).items():
        with suppress(KeyError, sqlite3.Error, OSError), closing(connect_for_reading(files[part])) as connection:
            there = hash_at(connection, known.lines)
            facts |= {f"audit_{part}_past": there, f"audit_{part}_past_lines": known.lines} if there else {}
    return facts


def _has_audit(file: Path) -> bool:
    try:
        with closing(connect_for_reading(file)) as connection:
            found = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'audit'")
            return found.fetchone() is not None
    except (sqlite3.Error, OSError):
        return False
