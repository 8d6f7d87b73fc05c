"""The port of the log-in methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Visitor:
    """The gate's id of the phone, which has a lease, and the page's language."""

    phone: str
    language: str


@dataclass(frozen=True)
class Accepted:
    """Let the phone through. minutes 0: the spot's. account: opaque, for limits per person. claim: for ``finish``."""

    minutes: int = 0
    account: str = ""
    claim: str = ""


@dataclass(frozen=True)
class CodeSent:
    """A code was mailed; ``request`` names it on the next page."""

    request: str


@dataclass(frozen=True)
class Rejected:
    """error: key of the sentence to show; request: the mailed code that may be tried again, or ""."""

    error: str
    values: Mapping[str, object] = field(default_factory=dict)
    request: str = ""


Outcome = Accepted | CodeSent | Rejected


class LoginMethod(Protocol):
    """One log-in method."""

    def attempt(self, visitor: Visitor, form: Mapping[str, str], /) -> Outcome:
        """Check one submitted form. Never raises for a visitor's input."""
        ...

    def pending_code(self, phone: str, /) -> str:
        """The request of a mailed code that this phone may still type, or "". Called for every first page."""
        ...

    def finish(self, accepted: Accepted, opened: bool, /) -> None:
        """The gate's decision on an Accepted: opened, or refused, so that nothing is used up."""
        ...
