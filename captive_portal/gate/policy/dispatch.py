"""Which method of the policy answers which request: the table between protocol and desired state."""

from __future__ import annotations

from captive_portal.gate import protocol as p
from captive_portal.gate.policy.session import ObservedPhone
from captive_portal.gate.policy.session_policy import SessionPolicy


def dispatch(policy: SessionPolicy, request: p.Request, seen: ObservedPhone | None) -> p.Answer:
    """The answer of the policy. ``seen``: the phone at the request's ip. DrainUsage and GetHealth are not the policy's."""
    match request:
        case p.Lookup():
            return policy.lookup(seen)
        case p.Open():
            return policy.open(seen, request)
        case p.Extend():
            return policy.extend(seen, request.minutes)
        case p.Resume():
            return policy.resume(seen, request.token)
        case _:
            return _dispatch_events_and_disaster(policy, request, seen)


def _dispatch_events_and_disaster(policy: SessionPolicy, request: p.Request, seen: ObservedPhone | None) -> p.Answer:
    match request:
        case p.End():
            return p.Done(count=policy.end(seen, request.session, request.reason))
        case p.NoteRefused():
            policy.note_refused(seen, request)
            return p.Done(count=1)
        case p.SetDisaster():
            return policy.set_disaster(request)
        case p.GetDisaster():
            return policy.disaster
        case _:
            return _dispatch_staff(policy, request, seen)


def _dispatch_staff(policy: SessionPolicy, request: p.Request, seen: ObservedPhone | None) -> p.Answer:
    match request:
        case p.ListSessions():
            return p.Sessions(sessions=policy.shown(request.spot))
        case p.Block():
            return p.Done(count=policy.block(seen, request.session, request.mac))
        case p.Unblock():
            return p.Done(count=policy.unblock(request.mac, request.block))
        case p.ListBlockedPhones():
            return p.BlockedPhoneList(blocks=policy.blocked_phones.shown())
        case _:
            return p.Fault(code="gate.not_here")
