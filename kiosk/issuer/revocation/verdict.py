"""What sources say about one credential, and what follows from it. Pure.

Fail closed: only a fresh "good" lets a card in. What is known as revoked stays so, however old the word is. The grace
is for a disaster in which nobody can be asked: it prolongs a "good", and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple, Protocol


class Status(Enum):
    """SILENT: the source has nothing to say about this credential now. UNKNOWN: it says that it does not know it."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    SILENT = "silent"


class Word(NamedTuple):
    """What one source says. good_until: how long its last good word holds, aware; None: it never had one. Of SILENT it
    is the last word about other credentials: the source worked until then.
    """

    status: Status
    good_until: datetime | None = None


class Verdict(Enum):
    """GRACE: served because of the grace alone. UNAVAILABLE: do not serve, nobody could tell."""

    GOOD = "good"
    GRACE = "grace"
    REVOKED = "revoked"
    UNAVAILABLE = "unavailable"


class RevocationSource(Protocol):
    """A list or a responder."""

    def ask(self, issuer_key: str, serial: int) -> Word:
        """Its word now. Raises nothing: what goes wrong is SILENT."""
        ...


class RevocationPort(Protocol):
    """What the issuer asks."""

    def verdict(self, issuer_key: str, serial: int) -> Verdict:
        """Whether the credential may be served now."""
        ...


def follows(words: Iterable[Word], now: datetime, grace: timedelta) -> Verdict:
    """The verdict. words: of the sources, the one whose word is preferred first; later ones are asked only when what
    came before decides nothing.
    """
    holds: list[datetime] = []
    for word in words:
        if word.status is Status.REVOKED:
            return Verdict.REVOKED
        if word.status is Status.UNKNOWN:
            return Verdict.UNAVAILABLE
        if word.status is Status.GOOD and word.good_until is not None and now <= word.good_until:
            return Verdict.GOOD
        if word.good_until is not None:
            holds.append(word.good_until)
    return Verdict.GRACE if any(now <= until + grace for until in holds) and grace else Verdict.UNAVAILABLE
