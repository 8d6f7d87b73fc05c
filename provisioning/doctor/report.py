"""Findings as words: for the terminal, for programs, for the receipt printer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from device.catalogue import Catalogue
from device.health.finding import Finding, Severity
from device.printer.status import Receipt, ReceiptLine, ReceiptRule
from provisioning.doctor.words import LANGUAGES, Words, words

MARKS = {Severity.OK: "○", Severity.NOT_APPLICABLE: "－", Severity.WARNING: "△", Severity.ERROR: "×"}
_ORDER = (Severity.ERROR, Severity.WARNING, Severity.NOT_APPLICABLE, Severity.OK)


def trouble(findings: Sequence[Finding]) -> bool:
    """Whether the doctor ends with 1."""
    return any(finding.severity is Severity.ERROR for finding in findings)


def as_text(findings: Sequence[Finding], catalogue: Words | None = None) -> str:
    """Worst first: Japanese, then English; cause and next step of what is not well. catalogue: without it ``words``."""
    catalogue = catalogue or words()
    ordered = sorted(findings, key=lambda finding: _ORDER.index(finding.severity))
    return "\n".join(line for finding in ordered for line in _lines(finding, catalogue))


def _lines(finding: Finding, catalogue: Words) -> list[str]:
    told = [_told(finding, catalogue[language]) for language in LANGUAGES]
    lines = [f"{MARKS[finding.severity]} {told[0][0]} / {told[1][0]}"]
    for place, (ja, en) in enumerate(zip(told[0][1:], told[1][1:], strict=True)):
        lines += [f"    {('原因', '次に')[place]}： {ja}", f"    {('Cause', 'Next')[place]}: {en}"]
    return lines


def _told(finding: Finding, said: Catalogue) -> list[str]:
    """Title, and cause and next step when they are set."""
    keys = [f"{finding.code}.{part}" for part in ("title", "cause", "next")]
    return [said.text(keys[0], **finding.facts), *(said.text(key, **finding.facts) for key in keys[1:] if key in said)]


def as_json(findings: Sequence[Finding]) -> list[dict[str, object]]:
    """For programs: code, severity and facts, none of them personal."""
    return [{"code": f.code, "severity": f.severity.value, "facts": f.facts} for f in findings]


def as_receipt(findings: Sequence[Finding], box: str, at: datetime) -> Receipt:
    """What is not well, in Japanese, with cause and next step; the rest as a count."""
    catalogue = words()
    bad = [f for severity in (Severity.ERROR, Severity.WARNING) for f in findings if f.severity is severity]
    parts: list[ReceiptLine | ReceiptRule] = [
        ReceiptLine("点検票", align="center", size=2, bold=True),
        ReceiptLine("端末", right=box),
        ReceiptLine("日時", right=f"{at:%Y-%m-%d %H:%M}"),
        ReceiptLine("正常", right=f"{sum(f.severity is Severity.OK for f in findings)}件"),
        ReceiptLine("対象外", right=f"{sum(f.severity is Severity.NOT_APPLICABLE for f in findings)}件"),
        ReceiptLine("要対応・注意", right=f"{len(bad)}件", bold=bool(bad)),
    ]
    for finding in bad:
        title, *rest = _told(finding, catalogue["ja"])
        parts += [ReceiptRule(), ReceiptLine(f"{MARKS[finding.severity]} {title}", bold=True)]
        parts += [ReceiptLine(f"{label}：{text}") for label, text in zip(("原因", "次に"), rest, strict=False)]
    return tuple(parts)
