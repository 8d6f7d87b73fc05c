"""The port filled: lists first where they say "revoked", then the responder, then what the lists say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from device.clock import Clock
from kiosk.issuer.revocation.verdict import RevocationSource, Status, Verdict, Word, follows


class NotAsked:
    """RevocationPort of a city that has neither list nor responder: the doctor warns of it."""

    def verdict(self, issuer_key: str, serial: int) -> Verdict:  # noqa: ARG002 - a port's signature
        """See RevocationPort."""
        return Verdict.GOOD


class Revocation:
    """RevocationPort over what the city has; at least one of both is given. grace: see RevocationSettings."""

    def __init__(
        self, *, lists: RevocationSource | None, responder: RevocationSource | None, grace: timedelta, clock: Clock
    ) -> None:
        self._lists = lists
        self._responder = responder
        self._grace = grace
        self._clock = clock

    def verdict(self, issuer_key: str, serial: int) -> Verdict:
        """See RevocationPort."""
        return follows(self._words(issuer_key, serial), self._clock.now(), self._grace)

    def _words(self, issuer_key: str, serial: int) -> Iterator[Word]:
        listed = self._lists.ask(issuer_key, serial) if self._lists else Word(Status.SILENT)
        if listed.status is Status.REVOKED:
            yield listed
        if self._responder:
            yield self._responder.ask(issuer_key, serial)
        yield listed
