"""Whether the audits are whole, and go on from what city hall has of them."""

from __future__ import annotations

from collections.abc import Sequence

from device.health.finding import Finding, error, ok
from provisioning.doctor.audits import Judged, Verdict, judge_all
from provisioning.doctor.examined_box import ExaminedBox

NEWEST = 5_000
"""Lines of an audit, about a week of a busy plaza; 10 ms."""


def check(box: ExaminedBox) -> list[Finding]:
    """Walks every chain's newest lines: the heartbeat asks often. ``hiroba audit verify`` walks all, each night."""
    return judge(judge_all(box.site, box.state, NEWEST))


_CODES = {
    Verdict.BROKEN: "audit.broken",
    Verdict.SHORTENED: "audit.shortened",
    Verdict.REPLACED: "audit.replaced",
    Verdict.MISSING: "audit.missing",
}


def judge(audits: Sequence[Judged]) -> list[Finding]:
    """One finding for each audit that is not as it was, else one for all."""
    fine = (Verdict.WHOLE, Verdict.NOT_COMPARED)
    bad = [error(_CODES[one.verdict], part=one.part, lines=one.lines) for one in audits if one.verdict not in fine]
    compared = sum(one.verdict is Verdict.WHOLE for one in audits)
    return bad or [ok("audit.whole", count=len(audits), compared=compared)]
