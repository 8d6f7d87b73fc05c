"""Who may ask the gate what: a table of operation and caller. Pure.

A caller is known by its user id as the kernel tells it (SO_PEERCRED), and each unit has a user of its own
(systemd/sysusers.d). Root and the gate's own user give staff's commands; the portal, which strangers' requests reach,
may do what one phone at one address may ask for, and nothing about others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum

from captive_portal.gate import protocol as p


class Caller(Enum):
    """STAFF: root, the gate's own user and who is named in [wifi.gate] staff; OTHER: another one that [wifi.gate]
    clients names.
    """

    STAFF = "staff"
    PORTAL = "portal"
    STATS = "stats"
    OTHER = "other"


UNIT_USERS = {"hiroba-portal": Caller.PORTAL, "hiroba-stats": Caller.STATS}
"""The users of the units that ask the gate."""
STAFF_ONLY = frozenset({Caller.STAFF})
PORTAL = STAFF_ONLY | {Caller.PORTAL}
STATS = STAFF_ONLY | {Caller.STATS}
ALL = frozenset(Caller)

OPERATIONS: Mapping[type[p.Request], frozenset[Caller]] = {
    p.Lookup: PORTAL,
    p.Open: PORTAL,
    p.Extend: PORTAL,
    p.Resume: PORTAL,
    p.End: PORTAL,
    p.NoteRefused: PORTAL,
    p.GetDisaster: PORTAL,
    p.DrainUsage: STATS,
    p.GetHealth: ALL,
    p.ListSessions: STAFF_ONLY,
    p.Block: STAFF_ONLY,
    p.Unblock: STAFF_ONLY,
    p.ListBlockedPhones: STAFF_ONLY,
    p.SetDisaster: STAFF_ONLY,
}
"""Every request; one that is not here is nobody's."""


def may(caller: Caller, request: p.Request) -> bool:
    """Whether ``caller`` may ask this. The portal ends the session of the phone that asks, and no other one."""
    if caller not in OPERATIONS.get(type(request), frozenset()):
        return False
    if isinstance(request, p.End) and caller is not Caller.STAFF:
        return not request.session and request.reason is p.EndReason.LOGOUT
    return True


def callers(
    own: int, clients: Iterable[str], staff: Iterable[str], user_id: Callable[[str], int | None]
) -> dict[int, Caller]:
    """Caller by user id. own: the gate's own; clients, staff: of [wifi.gate]; user_id: None for a user that this box
    does not have.
    """
    named = {name: UNIT_USERS.get(name, Caller.OTHER) for name in clients} | dict.fromkeys(staff, Caller.STAFF)
    found = {number: caller for name, caller in named.items() if (number := user_id(name)) is not None}
    return {**found, 0: Caller.STAFF, own: Caller.STAFF}
