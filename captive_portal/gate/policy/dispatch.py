"""Which method of the book answers which request: the table between protocol and desired state."""

from __future__ import annotations

from captive_portal.gate import protocol as p
from captive_portal.gate.policy.session import Sighting
from captive_portal.gate.policy.session_policy import Book


def answer(book: Book, request: p.Request, seen: Sighting | None) -> p.Answer:
    """The answer of the book. ``seen``: the phone at the request's ip. DrainUsage and GetHealth are not the book's."""
    match request:
        case p.Lookup():
            return book.lookup(seen)
        case p.Open():
            return book.open(seen, request)
        case p.Extend():
            return book.extend(seen, request.minutes)
        case p.Resume():
            return book.resume(seen, request.token)
        case _:
            return _answer_about(book, request, seen)


def _answer_about(book: Book, request: p.Request, seen: Sighting | None) -> p.Answer:
    match request:
        case p.End():
            return p.Done(count=book.end(seen, request.session, request.reason))
        case p.NoteRefused():
            book.note_refused(seen, request)
            return p.Done(count=1)
        case p.SetDisaster():
            return book.set_disaster(request)
        case p.GetDisaster():
            return book.disaster
        case _:
            return _answer_staff(book, request, seen)


def _answer_staff(book: Book, request: p.Request, seen: Sighting | None) -> p.Answer:
    match request:
        case p.ListSessions():
            return p.Sessions(sessions=book.shown(request.spot))
        case p.Block():
            return p.Done(count=book.block(seen, request.session, request.mac))
        case p.Unblock():
            return p.Done(count=book.unblock(request.mac, request.block))
        case p.ListBlocks():
            return p.Blocks(blocks=book.blocks.shown())
        case _:
            return p.Fault(code="gate.not_here")
