"""Live sessions, found by id, MAC, account or end. In memory, without I/O."""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Collection

from captive_portal.gate.policy.session import FIRST_MARK, Session


class SessionIndex:
    """Live sessions with their indexes. A session's id, MAC, account and mark do not change while it is in the index;
    after a change of its end ``end_changed`` must be called.
    """

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self._by_mac: dict[str, Session] = {}
        self._accounts: dict[str, set[str]] = {}
        self._marks: set[int] = set()
        self._ends: list[tuple[float, str]] = []

    def add(self, session: Session) -> None:
        """Add a session that has begun."""
        self.sessions[session.id] = session
        self._by_mac[session.mac] = session
        self._marks.add(session.mark)
        if session.account:
            self._accounts.setdefault(session.account, set()).add(session.id)
        self.end_changed(session)

    def remove(self, session: Session) -> None:
        """Remove a session that has ended. Raises KeyError for an unknown one."""
        del self.sessions[session.id], self._by_mac[session.mac]
        self._marks.discard(session.mark)
        ids = self._accounts.get(session.account, set())
        ids.discard(session.id)
        if not ids:
            self._accounts.pop(session.account, None)

    def by_mac(self, mac: str) -> Session | None:
        """The session of a phone, or None."""
        return self._by_mac.get(mac)

    def by_account(self, account: str) -> Collection[Session]:
        """Sessions of one account; none of ""."""
        return [self.sessions[key] for key in self._accounts.get(account, ())]

    def end_changed(self, session: Session) -> None:
        """Index the session under its new end."""
        heapq.heappush(self._ends, (session.ends, session.id))

    def next_to_end(self) -> Session | None:
        """The session that ends next; outdated entries (ended, extended) are dropped."""
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
