"""Messages between the gate and its clients (portal, staff commands, statistics): tagged structs as JSON, unix socket.

A frame is four bytes of length (big endian) and that many bytes of JSON, at most MAX_FRAME. Every request gets exactly
one answer, in order. Requests name a phone by its IP address, and by the port from which it speaks to the portal: the
gate answers for the phone that began this connection. Port 0 is for staff and tools, who have no connection of the
phone's. Answers name a phone by an opaque pseudonym. The raw MAC address is in
the answers to staff only (``SessionDetails.mac``, ``BlockedPhoneDetails.mac``) and must not be logged (N8).
"""

from __future__ import annotations

import struct
from datetime import datetime
from enum import Enum
from typing import Literal

import msgspec

MAX_FRAME = 4 * 1024 * 1024
"""Bytes of JSON in one answer (10,000 sessions); requests are capped at MAX_REQUEST."""
MAX_REQUEST = 16 * 1024
HEADER = struct.Struct("!I")


class PhoneState(Enum):
    """waiting: may log in; online; ended: its last session ended today and it may log in again when limits allow;
    blocked: by staff; unknown: the gate sees no such phone on its networks.
    """

    WAITING = "waiting"
    ONLINE = "online"
    ENDED = "ended"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


class RefusalReason(Enum):
    """Why a request to pass is refused."""

    NO_LEASE = "no_lease"
    BLOCKED = "blocked"
    DEVICES = "devices"
    MINUTES_USED = "minutes_used"
    CLOSED = "closed"
    METHOD = "method"
    TOKEN = "token"  # noqa: S105 - a reason code, no secret
    NOT_ONLINE = "not_online"
    GATE_BUSY = "gate_busy"


class EndReason(Enum):
    """Why a session ended."""

    EXPIRED = "expired"
    QUOTA = "quota"
    LOGOUT = "logout"
    STAFF = "staff"
    BLOCKED = "blocked"
    CLOSED = "closed"
    MOVED = "moved"


class GateMessage(msgspec.Struct, frozen=True, tag_field="type", forbid_unknown_fields=True, kw_only=True):
    """Base of every message."""


# -- requests --


class Lookup(GateMessage, frozen=True, tag="lookup", kw_only=True):
    """Who is the phone at ``ip``? -> Phone"""

    ip: str
    port: int = 0


class Open(GateMessage, frozen=True, tag="open", kw_only=True):
    """Open a session for the phone at ``ip``. method: one of the spot's; minutes: asked for (0: the spot's
    minutes_per_visit), cut to the day's limit and to closing time; quota_bytes 0: the spot's. language, device: codes
    for statistics only. account: an opaque id of voucher or address for the limits per person, or "". An online phone
    is answered with its session. The answer comes after the kernel confirmed. -> Opened | Refused
    """

    ip: str
    port: int = 0
    method: str
    minutes: int = 0
    quota_bytes: int = 0
    language: str = ""
    device: str = ""
    account: str = ""


class Extend(GateMessage, frozen=True, tag="extend", kw_only=True):
    """More minutes from now for an online phone, within the day's limit (0: minutes_per_visit). -> Opened | Refused"""

    ip: str
    port: int = 0
    minutes: int = 0


class End(GateMessage, frozen=True, tag="end", kw_only=True):
    """End by ``ip`` (log out) or by ``session`` (staff). -> Done(1 or 0)"""

    ip: str = ""
    port: int = 0
    session: str = ""
    reason: EndReason = EndReason.LOGOUT


class Resume(GateMessage, frozen=True, tag="resume", kw_only=True):
    """The phone at ``ip`` has a new MAC and presents the token of its session: the session moves to this MAC with its
    remaining minutes. -> Opened | Refused
    """

    ip: str
    port: int = 0
    token: str


class ListSessions(GateMessage, frozen=True, tag="list", kw_only=True):
    """Everyone online. -> Sessions"""

    spot: str = ""


class Block(GateMessage, frozen=True, tag="block", kw_only=True):
    """Staff: block the phone of a session, at an ip or with a MAC, until unblocked. -> Done"""

    session: str = ""
    ip: str = ""
    mac: str = ""


class Unblock(GateMessage, frozen=True, tag="unblock", kw_only=True):
    """Staff: unblock by number (``BlockedPhoneDetails.block``) or by MAC; without either, all. -> Done"""

    mac: str = ""
    block: str = ""


class ListBlockedPhones(GateMessage, frozen=True, tag="list_blocks", kw_only=True):
    """Staff: the blocked phones. -> BlockedPhoneList"""


class SetDisaster(GateMessage, frozen=True, tag="set_disaster", kw_only=True):
    """Switch disaster mode. until: aware; it ends by itself then. by: who switched (a staff code). -> Disaster"""

    on: bool
    reason: str = ""
    until: datetime | None = None
    by: str = ""
    drill: bool = False


class GetDisaster(GateMessage, frozen=True, tag="get_disaster", kw_only=True):
    """-> Disaster"""


class GetHealth(GateMessage, frozen=True, tag="get_health", kw_only=True):
    """-> Health"""


class DrainUsage(GateMessage, frozen=True, tag="drain_usage", kw_only=True):
    """Delete usage events up to number ``acknowledged``, then return the next ``limit``. -> UsageBatch"""

    acknowledged: int = 0
    limit: int = 500


class NoteRefused(GateMessage, frozen=True, tag="note_refused", kw_only=True):
    """Statistics: the portal itself refused a login (wrong code, used voucher). why: a code. -> Done"""

    ip: str
    port: int = 0
    method: str
    why: str
    language: str = ""
    device: str = ""


# -- answers --


class SessionView(GateMessage, frozen=True, tag="session", kw_only=True):
    """A session as its own phone may see it. ends_at: JST; bytes_left: None without a quota."""

    session: str
    method: str
    started_at: datetime
    ends_at: datetime
    seconds_left: int
    bytes_used: int
    bytes_left: int | None
    can_extend: bool


class Phone(GateMessage, frozen=True, tag="phone", kw_only=True):
    """phone: opaque pseudonym, the same all day for one MAC at one box, "" when unknown. spot: "" when the address is
    of no spot. minutes_left_today: None without a daily limit. closed: outside opening hours. disaster: the gate is
    open. leased: it has its address from the spot's DHCP server, or the spot has none.
    """

    phone: str
    spot: str
    state: PhoneState
    session: SessionView | None = None
    minutes_left_today: int | None = None
    closed: bool = False
    disaster: bool = False
    leased: bool = True


class Opened(GateMessage, frozen=True, tag="opened", kw_only=True):
    """The session is open, and applied to the kernel. token: signed, for the page's link and cookie (Resume). view: as
    a Lookup would return it now, which saves that request.
    """

    session: str
    token: str
    ends_at: datetime
    seconds_left: int
    view: SessionView | None = None


class Refused(GateMessage, frozen=True, tag="refused", kw_only=True):
    """The request is refused; an expected answer."""

    refused: RefusalReason


class Done(GateMessage, frozen=True, tag="done", kw_only=True):
    """How many objects the request changed."""

    count: int


class SessionDetails(GateMessage, frozen=True, tag="session_shown", kw_only=True):
    """A session as staff may see it; bytes since it began."""

    session: str
    spot: str
    ip: str
    mac: str
    method: str
    language: str
    device: str
    started_at: datetime
    ends_at: datetime
    seconds_left: int
    bytes_up: int
    bytes_down: int
    throttled: bool


class Sessions(GateMessage, frozen=True, tag="sessions", kw_only=True):
    """All sessions asked for, oldest first."""

    sessions: list[SessionDetails]


class BlockedPhoneDetails(GateMessage, frozen=True, tag="block_shown", kw_only=True):
    """A blocked phone as staff may see it. block: its number; spot: where it was, "" when unknown."""

    block: str
    spot: str
    since: datetime | None
    mac: str


class BlockedPhoneList(GateMessage, frozen=True, tag="blocks", kw_only=True):
    """All blocked phones, oldest first."""

    phones: list[BlockedPhoneDetails]


class Disaster(GateMessage, frozen=True, tag="disaster", kw_only=True):
    """The state of disaster mode. Stored as JSON under these field names."""

    on: bool
    reason: str = ""
    until: datetime | None = None
    drill: bool = False


class LeasePool(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The addresses of one spot: how many are leased now, of how many."""

    spot: str
    used: int
    size: int


class Health(GateMessage, frozen=True, tag="health", kw_only=True):
    """ready: the kernel's rules are as applied. repairs: times they had to be repaired since the start. limits: what
    was asked of the box faster than it is given, within the last ten minutes: "dns", "leases".
    """

    ready: bool
    online: int
    repairs: int
    last_problem: str = ""
    pools: list[LeasePool] = []
    limits: list[str] = []


class UsageEvent(GateMessage, frozen=True, tag="usage", kw_only=True):
    """One event for statistics. visitor: keyed hash of the day (no MAC can be found from it once the day's salt is
    gone); session: random id. opened/ended once a session, used: growth since the last event. why: end or refusal code.
    disaster: phones not yet counted in this hour, and bytes, of the open Wi-Fi, without visitor. Stored as JSON under
    these field names.
    """

    number: int
    kind: Literal["opened", "used", "ended", "refused", "disaster"]
    at: datetime
    spot: str
    visitor: str
    session: str
    method: str
    language: str
    device: str
    seconds: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    why: str = ""
    phones: int = 0


class UsageBatch(GateMessage, frozen=True, tag="usage_batch", kw_only=True):
    """The next events in order; empty when there are none."""

    usage: list[UsageEvent]


class Fault(GateMessage, frozen=True, tag="fault", kw_only=True):
    """The request could not be read or the gate broke: a stable code, no prose."""

    code: str


Request = (
    Lookup
    | Open
    | Extend
    | End
    | Resume
    | ListSessions
    | Block
    | Unblock
    | ListBlockedPhones
    | SetDisaster
    | GetDisaster
    | GetHealth
    | DrainUsage
    | NoteRefused
)
Answer = Phone | Opened | Refused | Done | Sessions | BlockedPhoneList | Disaster | Health | UsageBatch | Fault


def pack(message: GateMessage, encoder: msgspec.json.Encoder | None = None) -> bytes:
    """One frame."""
    body = (encoder or _ENCODER).encode(message)
    return HEADER.pack(len(body)) + body


def read_request(body: bytes) -> Request:
    """Raises msgspec.MsgspecError on anything but a Request."""
    return _REQUEST.decode(body)


def read_answer(body: bytes) -> Answer:
    """Raises msgspec.MsgspecError on anything but an Answer."""
    return _ANSWER.decode(body)


_ENCODER = msgspec.json.Encoder()
_REQUEST: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_ANSWER: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)
