"""Counts tries at names, passwords and codes in the database, so that all workers count together."""

from __future__ import annotations

import hashlib

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from provisioning.cityhall.accounts.limits import KNOWN_SECONDS, WINDOW_SECONDS, Counted, admits, network_of
from provisioning.cityhall.tables import KnownAddress, Refusal


def let_through(session: Session, name: str, address: str, now: int) -> bool:
    """Count one try and say whether it may be looked at. One that may not is not counted: it ends nobody's wait."""
    network = network_of(address)
    _one_at_a_time(session, name)
    keys = _keys(name, network)
    tries = {counted: _count(session, now, key) for counted, key in keys.items()}
    last = session.scalar(select(func.max(Refusal.at)).where(Refusal.who == hash_of(keys[Counted.NAME])))
    known = _is_known(session, name, network, now)
    if not admits(tries, known=known, name_idle_seconds=now - (last or 0)):
        return False
    counting = [keys[Counted.PAIR]] if known else list(keys.values())
    session.add_all(Refusal(who=hash_of(key), at=now) for key in counting)
    return True


def forgive(session: Session, name: str, address: str, now: int) -> None:
    """The log-in is complete: forget this pair's tries; from here the name is known for a while."""
    network = network_of(address)
    session.execute(delete(Refusal).where(Refusal.who == hash_of(_keys(name, network)[Counted.PAIR])))
    session.merge(KnownAddress(staff=name, address=hash_of(network), at=now))


def used_up(session: Session, name: str, address: str, now: int) -> bool:
    """Whether the next try of this pair would be refused."""
    network = network_of(address)
    keys = _keys(name, network)
    tries = {counted: _count(session, now, key) for counted, key in keys.items()}
    return not admits(tries, known=_is_known(session, name, network, now), name_idle_seconds=0)


def too_many_codes(session: Session, address: str, now: int) -> bool:
    """Whether an address tried too many enrolment codes that do not exist."""
    keys = _keys("", network_of(address))
    tries = {Counted.PAIR: 0, Counted.NAME: 0, Counted.ADDRESS: _count(session, now, keys[Counted.ADDRESS])}
    return not admits(tries, known=False, name_idle_seconds=0)


def count_wrong_code(session: Session, address: str, now: int) -> None:
    """One more of these."""
    session.add(Refusal(who=hash_of(_keys("", network_of(address))[Counted.ADDRESS]), at=now))


def tidy(session: Session, now: int) -> None:
    """Forget what no longer counts."""
    session.execute(delete(Refusal).where(Refusal.at <= now - WINDOW_SECONDS))
    session.execute(delete(KnownAddress).where(KnownAddress.at <= now - KNOWN_SECONDS))


def hash_of(value: str) -> str:
    """What tables hold instead of a name or an address."""
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()


def _keys(name: str, network: str) -> dict[Counted, str]:
    return {
        Counted.PAIR: f"pair:{network}\n{name}",
        Counted.ADDRESS: f"address:{network}",
        Counted.NAME: f"name:{name}",
    }


def _count(session: Session, now: int, key: str) -> int:
    counted = select(func.count()).select_from(Refusal)
    return session.scalar(counted.where(Refusal.who == hash_of(key), Refusal.at > now - WINDOW_SECONDS)) or 0


def _is_known(session: Session, name: str, network: str, now: int) -> bool:
    found = session.get(KnownAddress, (name, hash_of(network)))
    return found is not None and found.at > now - KNOWN_SECONDS


def _one_at_a_time(session: Session, name: str) -> None:
    """Tries of one name wait for each other; SQLite's transactions do so anyway."""
    if session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(name.encode("utf-8", "replace")).digest()[:8], signed=True)
        session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": number})


def first_refused(session: Session, name: str, now: int) -> bool:
    """Whether this is the first refusal of this name within the window: it is noted once."""
    key = hash_of(f"refused:{name}")
    noted = session.scalar(select(func.count()).where(Refusal.who == key, Refusal.at > now - WINDOW_SECONDS))
    if not noted:
        session.add(Refusal(who=key, at=now))
    return not noted
