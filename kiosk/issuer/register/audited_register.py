"""The register as staff work on it: every look and change is written down, with who and why, or is not made.

The line and the change are one transaction of one file. What was refused leaves a line too. Residents and credentials
stand in lines as opaque keys. A change that weakens somebody's protection is asked for here and made by a second
person (``approve``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from device.audit import Audit, AuditLine
from device.clock import Clock
from device.store import Store
from kiosk.issuer.register.act import Act, check_nobody_named
from kiosk.issuer.register.change_requests import Action, ChangeRequest, ChangeRequests, Outcome, Subject
from kiosk.issuer.register.errors import RegisterRefused
from kiosk.issuer.register.link_checks import LinkCandidate
from kiosk.issuer.register.link_history import LinkHistory
from kiosk.issuer.register.opaque_keys import OpaqueKeys
from kiosk.issuer.register.records import Population
from kiosk.issuer.register.register import Register, RegisterEntry


class Linked(NamedTuple):
    """credential: its opaque key. new: it was not this resident's before. ended: keys of the resident's other
    credentials, whose links ended because one person has one card.
    """

    credential: str
    new: bool
    ended: list[str]


class CredentialEntry(NamedTuple):
    """A credential of a resident. until: when it ends, "" where that is not known. since, ended_at: of the link."""

    credential: str
    until: str
    since: str
    ended_at: str | None
    revoked: bool


class AuditedRegister:
    """Over the register in ``store``. Every method raises RegisterRefused; the reason's code says what for."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._audit = Audit(store, clock)
        self.register = Register(store)
        self.keys = OpaqueKeys(store)
        self._history = LinkHistory(store, self.register)
        self._requests = ChangeRequests(store)

    # ---- looks

    def residents(self, act: Act) -> list[str]:
        """All resident ids."""
        with self._noted(act, ""):
            self._looked(act, "list", "")
            return self.register.residents()

    def show(self, act: Act, resident: str) -> RegisterEntry:
        """Everything about one resident."""
        with self._noted(act, resident):
            found = self._resident(act, resident)
            self._looked(act, "show", resident)
            return found

    def credentials(self, act: Act, resident: str) -> list[CredentialEntry]:
        """The credentials that are and were a resident's."""
        with self._noted(act, resident):
            self._resident(act, resident)
            self._looked(act, "credentials", resident)
            return [
                CredentialEntry(
                    self.keys.credential(period.issuer_key, period.serial),
                    period.not_after,
                    period.begun_at,
                    period.ended_at,
                    self.register.is_revoked(period.issuer_key, period.serial),
                )
                for period in self._history.of_resident(resident)
            ]

    def requests(self, act: Act) -> list[ChangeRequest]:
        """What waits for a second person."""
        with self._noted(act, ""):
            self._end_expired()
            self._looked(act, "requests", "")
            return self._requests.waiting()

    def history(self, act: Act, resident: str = "") -> list[AuditLine]:
        """The lines about a resident, or all; the chain is walked first (AuditBroken)."""
        with self._noted(act, resident):
            self._audit.verify()
            self._looked(act, "history", resident)
            key = self.keys.resident(resident) if resident else ""
            return [line for line in self._audit.lines() if not key or key in line.facts.values()]

    # ---- changes by one person

    def import_population(self, act: Act, population: Population) -> int:
        """See Register.import_population."""
        with self._noted(act, ""):
            count = self.register.import_population(population)
            self._audit.record("register_imported", **act.facts(), count=count)
            return count

    def link(self, act: Act, found: LinkCandidate, resident: str, *, keep_former: bool = False) -> Linked:
        """``found`` is the resident's. Their former credentials end with it unless ``keep_former`` says that both are
        to stay. One that is or ever was another's is not moved here: "credential_taken", with both residents.
        """
        with self._noted(act, resident):
            return self._link(act, found, resident, keep_former=keep_former)

    def link_all(self, act: Act, pairs: Sequence[tuple[LinkCandidate, str]]) -> list[Linked]:
        """``link`` for each (credential, resident): all of them or, when one is refused, none."""
        with self._noted(act, ""):
            return [self._link(act, found, resident, keep_former=False) for found, resident in pairs]

    def look_at_file(self, act: Act) -> None:
        """Before a file of links is held against the register: what is told of it tells whose a card is."""
        with self._noted(act, ""):
            self._looked(act, "link_file", "")

    def planned(self, found: LinkCandidate, resident: str) -> str:
        """What ``link`` would do, without doing it: "new", "same" or "replaces". Raises what it would raise. After
        ``look_at_file``.
        """
        if self.register.show(resident) is None:
            raise RegisterRefused("no_resident", resident=resident)
        self._check_linkable(found, resident)
        pair = (found.issuer_key, found.serial)
        if self.register.resolve(*pair) == resident:
            return "same"
        return "replaces" if self.register.linked(resident) else "new"

    def unlink(self, act: Act, credential: str) -> str:
        """It is nobody's any more. Whose it was."""
        with self._noted(act, ""):
            key, serial = self._credential(credential)
            holder = self.register.resolve(key, serial)
            if holder is None:
                raise RegisterRefused("not_linked", credential=credential)
            self._check_reason(act, holder)
            self._unlink(key, serial, holder)
            self._changed("register_unlinked", act, holder, credential=credential)
            return holder

    def revoke(self, act: Act, credential: str) -> None:
        """It opens nothing from now on, whoever holds it."""
        with self._noted(act, ""):
            key, serial = self._credential(credential)
            holder = self.register.resolve(key, serial) or ""
            self._check_reason(act, holder)
            self.register.revoke(key, serial)
            self._changed("register_revoked", act, holder, credential=credential)

    def revoke_unlinked(self, act: Act, found: LinkCandidate) -> str:
        """The same for a card that is at hand, linked or not. Its opaque key."""
        with self._noted(act, ""):
            self.register.revoke(found.issuer_key, found.serial)
            credential = self.keys.credential(found.issuer_key, found.serial)
            holder = self.register.resolve(found.issuer_key, found.serial) or ""
            self._changed("register_revoked", act, holder, credential=credential)
            return credential

    def restrict(self, act: Act, resident: str) -> None:
        """Set the disclosure restriction (支援措置)."""
        with self._noted(act, resident):
            self._resident(act, resident)
            self.register.restrict(resident)
            self._changed("register_restricted", act, resident)

    # ---- changes by two

    def ask_lift(self, act: Act, resident: str) -> ChangeRequest:
        """Ask that a disclosure restriction is lifted."""
        with self._noted(act, resident):
            if not self._resident(act, resident).restricted:
                raise RegisterRefused("not_restricted", resident=resident)
            return self._ask(act, Action.LIFT_RESTRICTION, Subject(resident))

    def ask_move(self, act: Act, found: LinkCandidate, resident: str) -> ChangeRequest:
        """Ask that a credential goes from who holds it, or held it last, to ``resident``."""
        with self._noted(act, resident):
            self._resident(act, resident)
            self._check_usable(found)
            others = [h for h in self._history.holders(found.issuer_key, found.serial) if h != resident]
            if not others:
                raise RegisterRefused("nothing_to_move", resident=resident)
            now = self.register.resolve(found.issuer_key, found.serial) or ""
            subject = Subject(resident, found.issuer_key, found.serial, _text(found.not_after), now)
            return self._ask(act, Action.MOVE_CREDENTIAL, subject)

    def ask_lift_revocation(self, act: Act, credential: str) -> ChangeRequest:
        """Ask that a credential that was revoked here may be used again: a card that was found."""
        with self._noted(act, ""):
            key, serial = self._credential(credential)
            if not self.register.is_revoked(key, serial):
                raise RegisterRefused("not_revoked", credential=credential)
            holder = self.register.resolve(key, serial) or ""
            self._check_reason(act, holder)
            return self._ask(act, Action.LIFT_REVOCATION, Subject(holder, key, serial, "", holder))

    def approve(self, act: Act, request: str) -> ChangeRequest:
        """Make what was asked for. Refused: to who asked, to a code that was not proven, after its time, and when
        something changed in between.
        """
        with self._noted(act, ""):
            self._end_expired()
        with self._noted(act, ""):
            asked = self._waiting(request)
            self._check_second(act, asked)
            self._check_reason(act, asked.resident)
            self._apply(act, asked)
            self._requests.end(asked.request, Outcome.APPROVED, act.by, self._clock.now())
            self._decided(act, asked, Outcome.APPROVED)
            return asked

    def reject(self, act: Act, request: str) -> ChangeRequest:
        """It is not made. Who asked may take it back like this, too."""
        with self._noted(act, ""):
            asked = self._waiting(request)
            self._check_reason(act, asked.resident)
            self._requests.end(asked.request, Outcome.REJECTED, act.by, self._clock.now())
            self._decided(act, asked, Outcome.REJECTED)
            return asked

    def refused(self, act: Act, refused: RegisterRefused) -> None:
        """Something was refused before the register was asked: a credential that is none to be linked."""
        self._audit.record("register_refused", **act.facts(), resident="", code=refused.code)

    def code_refused(self, act: Act) -> None:
        """A code that was not the operator's was typed."""
        self._audit.record("register_code_refused", by=act.by, account=act.account)

    # ---- parts

    @contextmanager
    def _noted(self, act: Act, resident: str) -> Iterator[None]:
        """One transaction; what is refused in it is taken back, and leaves a line."""
        try:
            with self._store.transaction():
                yield
        except RegisterRefused as refused:
            key = self.keys.resident(resident) if resident else ""
            told = {**act.facts(), "reason": ""} if refused.code == "register.reason_names" else act.facts()
            self._audit.record("register_refused", **told, resident=key, code=refused.code)
            raise

    def _resident(self, act: Act, resident: str) -> RegisterEntry:
        found = self.register.show(resident)
        if found is None:
            raise RegisterRefused("no_resident", resident=resident)
        self._check_reason(act, resident)
        return found

    def _check_reason(self, act: Act, resident: str) -> None:
        """That it names nobody of the household."""
        found, house = self.register.show(resident), self.register.household_of(resident)
        people = [*([found.record] if found else []), *(house.members if house else [])]
        check_nobody_named(act.reason, people, [found.household] if found else [])

    def _credential(self, credential: str) -> tuple[str, int]:
        """The pair behind an opaque key."""
        for key, serial in self._history.known():
            if self.keys.credential(key, serial) == credential:
                return key, serial
        raise RegisterRefused("no_credential", credential=credential)

    def _check_linkable(self, found: LinkCandidate, resident: str) -> None:
        self._check_usable(found)
        others = [h for h in self._history.holders(found.issuer_key, found.serial) if h != resident]
        if others:
            raise RegisterRefused("credential_taken", holder=others[0], resident=resident)

    def _check_usable(self, found: LinkCandidate) -> None:
        if self.register.is_revoked(found.issuer_key, found.serial):
            raise RegisterRefused("credential_revoked")

    def _link(self, act: Act, found: LinkCandidate, resident: str, *, keep_former: bool) -> Linked:
        self._resident(act, resident)
        self._check_linkable(found, resident)
        return self._put(act, found, resident, keep_former=keep_former)

    def _put(self, act: Act, found: LinkCandidate, resident: str, *, keep_former: bool) -> Linked:
        pair, credential = (found.issuer_key, found.serial), self.keys.credential(found.issuer_key, found.serial)
        ended = []
        for key, serial, _ in [] if keep_former else self.register.linked(resident):
            if (key, serial) != pair:
                self._unlink(key, serial, resident)
                ended.append(self.keys.credential(key, serial))
        new = self.register.resolve(*pair) is None
        if new:
            self.register.link(*pair, resident)
            self._history.begin(*pair, resident, _text(found.not_after), self._clock.now())
        self._changed("register_linked", act, resident, credential=credential, ended=ended)
        return Linked(credential, new, ended)

    def _unlink(self, issuer_key: str, serial: int, holder: str) -> None:
        self.register.unlink(issuer_key, serial)
        self._history.end(issuer_key, serial, holder, self._clock.now())

    def _ask(self, act: Act, action: Action, subject: Subject) -> ChangeRequest:
        if not act.proven:
            raise RegisterRefused("second_person_needed")
        made = self._requests.ask(action, subject, act.by, act.reason, self._clock.now())
        self._changed("register_change_asked", act, subject.resident, request=made.request, action=action.value)
        return made

    def _waiting(self, request: str) -> ChangeRequest:
        asked = self._requests.find(request)
        if asked is None:
            raise RegisterRefused("no_request", request=request)
        if asked.outcome is not None:
            raise RegisterRefused(f"request_{asked.outcome.value}", request=asked.request)
        return asked

    def _check_second(self, act: Act, asked: ChangeRequest) -> None:
        if not act.proven:
            raise RegisterRefused("second_person_needed")
        if act.by.casefold() == asked.asked_by.casefold():
            raise RegisterRefused("same_person", request=asked.request)

    def _apply(self, act: Act, asked: ChangeRequest) -> None:
        if asked.action is Action.LIFT_RESTRICTION:
            self._resident(act, asked.resident)
            self.register.restrict(asked.resident, on=False)
        elif asked.action is Action.LIFT_REVOCATION:
            self.register.revoke(asked.issuer_key, asked.serial, on=False)
        else:
            self._move(act, asked)

    def _move(self, act: Act, asked: ChangeRequest) -> None:
        found = LinkCandidate(asked.issuer_key, asked.serial, datetime.fromisoformat(asked.not_after))
        self._resident(act, asked.resident)
        self._check_usable(found)
        holder = self.register.resolve(found.issuer_key, found.serial) or ""
        if holder != asked.holder or found.not_after <= self._clock.now():
            raise RegisterRefused("request_overtaken", request=asked.request)
        if holder:
            self._unlink(found.issuer_key, found.serial, holder)
            self._changed("register_unlinked", act, holder, credential=self._key(asked))
        self._put(act, found, asked.resident, keep_former=False)

    def _end_expired(self) -> None:
        now = self._clock.now()
        for asked in self._requests.waiting():
            if now >= asked.expires_at:
                self._requests.end(asked.request, Outcome.EXPIRED, "", now)
                nobody = Act(by="", account="", proven=False, reason="")
                self._decided(nobody, asked, Outcome.EXPIRED)

    def _decided(self, act: Act, asked: ChangeRequest, outcome: Outcome) -> None:
        facts = {"request": asked.request, "action": asked.action.value, "outcome": outcome.value}
        self._changed("register_change_decided", act, asked.resident, **facts, asked_by=asked.asked_by)

    def _looked(self, act: Act, what: str, resident: str) -> None:
        self._changed("register_looked", act, resident, what=what)

    def _changed(self, event: str, act: Act, resident: str, **facts: object) -> None:
        key = self.keys.resident(resident) if resident else ""
        self._audit.record(event, **act.facts(), resident=key, **facts)

    def _key(self, asked: ChangeRequest) -> str:
        return self.keys.credential(asked.issuer_key, asked.serial)


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
