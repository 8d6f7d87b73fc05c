"""What a check of this box found: a stable code, how bad it is, facts. Words to codes stand with the checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

Fact = str | int | float


class Severity(Enum):
    """ERROR: the box does not serve, or will soon lose something. WARNING: somebody should look in the next days."""

    OK = "ok"
    NOT_APPLICABLE = "not_applicable"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One finding. code: stable, dotted, its first part the subject. facts: never personal."""

    code: str
    severity: Severity
    facts: dict[str, Fact] = field(default_factory=dict)


def ok(code: str, **facts: Fact) -> Finding:
    """All is well."""
    return Finding(code, Severity.OK, facts)


def absent(code: str, **facts: Fact) -> Finding:
    """There is nothing to look at here."""
    return Finding(code, Severity.NOT_APPLICABLE, facts)


def warning(code: str, **facts: Fact) -> Finding:
    """See Severity."""
    return Finding(code, Severity.WARNING, facts)


def error(code: str, **facts: Fact) -> Finding:
    """See Severity."""
    return Finding(code, Severity.ERROR, facts)
