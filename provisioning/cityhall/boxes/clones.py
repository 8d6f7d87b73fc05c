"""One key in two places: a cloned card. Noticed by the credential's serial and by a chain of values, at every call.

The chain: at each start and every few hours a box draws a random ``next``, keeps it, and sends it with ``have``, the
one that city hall took last. Two boxes that began as one draw differently, so the second of them to speak brings a pair
that is over. The last pair again is no fork: its answer was lost, or it is not yet time to draw. A fork closes the key
for both, since nobody here can tell the copy from the box; staff look, and release or revoke.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple, Protocol

from sqlalchemy.orm import Session

from provisioning.cityhall.accounts.staff_audit import record_action
from provisioning.cityhall.tables import Box, BoxLine

FORKED = "forked"
"""Box.state; nothing of such a box is heard."""
_LINK = re.compile(r"([0-9a-f]{32})?/([0-9a-f]{32})", re.ASCII)


class Link(NamedTuple):
    """have: what city hall took last, "" for none; next: what it shall take now. 128 random bits each, hex."""

    have: str
    next: str


class Chained(Protocol):
    """A row that holds the chain's end."""

    chain: str
    chain_before: str


class Verdict(Enum):
    """What a call with a link is."""

    TAKEN = "taken"
    REPEATED = "repeated"
    FORKED = "forked"


def link_of(header: str) -> Link | None:
    """The link in a header HAVE/NEXT; None: none, or malformed."""
    found = _LINK.fullmatch(header)
    return Link(found[1] or "", found[2]) if found else None


def judge(row: Chained, link: Link) -> Verdict:
    """Pure. A row without a chain takes the first that comes."""
    if row.chain in ("", link.have):
        return Verdict.TAKEN
    repeated = (link.have, link.next) == (row.chain_before, row.chain)
    return Verdict.REPEATED if repeated else Verdict.FORKED


def take(row: Chained, link: Link) -> Verdict:
    """``judge``, and the chain goes on."""
    verdict = judge(row, link)
    if verdict is Verdict.TAKEN:
        row.chain_before, row.chain = link.have, link.next
    return verdict


def serial_forked(box: Box, line: BoxLine, serial: str) -> bool:
    """Whether ``serial`` is of a credential that was replaced and whose successor was seen. Notes what was seen."""
    if serial == box.certificate_serial:
        line.serial_seen, line.serial_before = True, ""
        return False
    return line.serial_seen is True or (line.serial_seen is False and serial != line.serial_before)


def issued(line: BoxLine, serial_before: str) -> None:
    """A new credential was issued in place of ``serial_before``; the answer may be lost, and then that one goes on."""
    if line.serial_seen:
        line.serial_seen, line.serial_before = False, serial_before


def line_of(session: Session, box: str) -> BoxLine:
    """The row of ``box``, made when missing."""
    line = session.get(BoxLine, box, with_for_update=True)
    if line is None:
        line = BoxLine(box=box, serial_before="", chain="", chain_before="", reason="")
        session.add(line)
    return line


def close(session: Session, box: Box, line: BoxLine, reason: str, now: int) -> None:
    """Nothing of this key is heard from now on; staff read why. reason: serial, chain, no_chain (a restored box, or a
    copy without the file), no_link (a box put back to a release without the chain, or a copy that hides), volume.
    """
    box.state, line.forked_at, line.reason = FORKED, now, reason
    record_action(session, now, "", "forked", box=box.name)


def begin_anew(line: BoxLine) -> None:
    """The next call is believed whatever it brings: after an enrolment, and when staff release."""
    line.chain = line.chain_before = line.serial_before = line.reason = ""
    line.serial_seen = line.forked_at = None
