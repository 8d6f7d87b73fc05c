"""The port every way to log in fills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Visitor:
    """Who asks: the gate's handle of the phone (its address when the gate knows none), and the page's language."""

    phone: str
    language: str


@dataclass(frozen=True)
class Pass:
    """Let the phone through. minutes 0: the spot's. account: opaque, for limits per person. claim: for ``settle``."""

    minutes: int = 0
    account: str = ""
    claim: str = ""


@dataclass(frozen=True)
class AskCode:
    """A code was mailed; ``request`` names it on the next page."""

    request: str


@dataclass(frozen=True)
class Fail:
    """Turned down. error: key of the sentence to show; request: the mailed code that may be tried again, or ""."""

    error: str
    values: Mapping[str, object] = field(default_factory=dict)
    request: str = ""


Outcome = Pass | AskCode | Fail


class LoginMethod(Protocol):
    """One way to log in."""

    def attempt(self, visitor: Visitor, form: Mapping[str, str], /) -> Outcome:
        """Judge one submitted form. Never raises for what a visitor typed."""
        ...

    def waiting(self, phone: str, /) -> str:
        """The request of a code mailed to this phone that may still be typed, or "". Asked for every first page."""
        ...

    def settle(self, passed: Pass, opened: bool, /) -> None:
        """What the gate made of a Pass: open, or refused so that nothing is used up."""
        ...
