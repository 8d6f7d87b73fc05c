"""Who is online: every live session, found by id, MAC, account or end. Pure memory."""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Collection

from captive_portal.gate.policy.session import FIRST_MARK, Session


class Roster:
    """Sessions and the ways to find them. A session's id, MAC, account and mark do not change while it stands here; its
    end may, and ``ends_at`` is told.
    """

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self._by_mac: dict[str, Session] = {}
        self._accounts: dict[str, set[str]] = {}
        self._marks: set[int] = set()
        self._ends: list[tuple[float, str]] = []

    def add(self, session: Session) -> None:
        """It is online."""
        self.sessions[session.id] = session
        self._by_mac[session.mac] = session
        self._marks.add(session.mark)
        if session.account:
            self._accounts.setdefault(session.account, set()).add(session.id)
        self.ends_at(session)

    def remove(self, session: Session) -> None:
        """It is not. Raises KeyError when it never was."""
        del self.sessions[session.id], self._by_mac[session.mac]
        self._marks.discard(session.mark)
        ids = self._accounts.get(session.account, set())
        ids.discard(session.id)
        if not ids:
            self._accounts.pop(session.account, None)

    def of(self, mac: str) -> Session | None:
        """The session of a phone."""
        return self._by_mac.get(mac)

    def of_account(self, account: str) -> Collection[Session]:
        """Sessions of one account; none of ""."""
        return [self.sessions[key] for key in self._accounts.get(account, ())]

    def ends_at(self, session: Session) -> None:
        """Its end is another now."""
        heapq.heappush(self._ends, (session.ends, session.id))

    def first(self) -> Session | None:
        """The session that ends next; entries of sessions that are gone or were extended are thrown away."""
        while self._ends:
            ends, key = self._ends[0]
            session = self.sessions.get(key)
            if session is not None and session.ends == ends:
                return session
            heapq.heappop(self._ends)
        return None

    def new_mark(self) -> int:
        """A random mark that no session has."""
        while (mark := FIRST_MARK + secrets.randbelow(2**31 - FIRST_MARK)) in self._marks:
            pass
        return mark
