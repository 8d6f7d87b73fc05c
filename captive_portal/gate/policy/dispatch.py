"""Which method of SessionPolicy answers which request."""

from __future__ import annotations

from captive_portal.gate import protocol as p
from captive_portal.gate.policy.session import ObservedPhone
from captive_portal.gate.policy.session_policy import SessionPolicy


def dispatch(policy: SessionPolicy, request: p.Request, observed: ObservedPhone | None) -> p.Answer:
    """The answer to ``request``. observed: the phone at its ip. DrainUsage and GetHealth are answered elsewhere."""
    match request:
        case p.Lookup():
            return policy.lookup(observed)
        case p.Open():
            return policy.open(observed, request)
        case p.Extend():
            return policy.extend(observed, request.minutes)
        case p.Resume():
            return policy.resume(observed, request.token)
        case _:
            return _dispatch_events_and_disaster(policy, request, observed)


def _dispatch_events_and_disaster(
    policy: SessionPolicy, request: p.Request, observed: ObservedPhone | None
) -> p.Answer:
    match request:
        case p.End():
            return p.Done(count=policy.end(observed, request.session, request.reason))
        case p.NoteRefused():
            policy.note_refused(observed, request)
            return p.Done(count=1)
        case p.SetDisaster():
            return policy.set_disaster(request)
        case p.GetDisaster():
            return policy.disaster
        case _:
            return _dispatch_staff(policy, request, observed)


def _dispatch_staff(policy: SessionPolicy, request: p.Request, observed: ObservedPhone | None) -> p.Answer:
    match request:
        case p.ListSessions():
            return p.Sessions(sessions=policy.session_details(request.spot))
        case p.Block():
            return p.Done(count=policy.block(observed, request.session, request.mac))
        case p.Unblock():
            return p.Done(count=policy.unblock(request.mac, request.block))
        case p.ListBlockedPhones():
            return p.BlockedPhoneList(phones=policy.blocked_phones.details())
        case _:
            return p.Fault(code="gate.not_here")
