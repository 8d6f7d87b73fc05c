"""Two hundred synthetic residents of a synthetic Settsu, the same for the same seed. Pure: no clock, no file.

For the demo, training and tests.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from kiosk.issuer.register import synthetic_names as words
from kiosk.issuer.register.records import Foreign, GoneReason, Household, Population, ResidentRecord, Sex, Tombstone

DEMO_RESIDENT = "R00001"
"""A householder of four whose names hold 辻 with U+E0102 and 𠮷: the holder of the demo's card."""
REFERENCE_DAY = date(2026, 4, 1)
"""Ages are those of this day."""
SIZE = 200

_FIRST_SIZES = (4, 9, 1, 3, 2, 5, 6, 7, 8)  # one household of every size, the demo's first
_FOREIGN_HOUSEHOLD = 4
_Names = dict[Sex, tuple[tuple[str, str], ...]]
_NAMES: _Names = {Sex.MALE: words.MEN, Sex.FEMALE: words.WOMEN}
_FOREIGN_NAMES: _Names = {Sex.MALE: words.FOREIGN_MEN, Sex.FEMALE: words.FOREIGN_WOMEN}
_CHILDREN = {Sex.MALE: ("長男", "二男", "三男", "四男"), Sex.FEMALE: ("長女", "二女", "三女", "四女")}


def population(seed: int = 2, size: int = SIZE) -> Population:
    """``size`` residents, at least the demo's four. The first households are fixed in kind: the demo's four, one of
    nine, one person alone, a foreign resident's three.
    """
    dice = random.Random(seed)
    households: list[Household] = []
    residents: list[ResidentRecord] = []
    while len(residents) < size:
        number = len(households) + 1
        members = _family(dice, number, len(residents) + 1, _size(dice, number, size - len(residents)))
        households.append(_household(dice, number, members))
        residents.extend(members)
    restricted, tombstones, leaving = _fates(dice, residents)
    return Population(
        households=households,
        residents=[_leaving(r) if r.resident in leaving else r for r in residents],
        restricted=restricted,
        tombstones=tombstones,
    )


def _size(dice: random.Random, number: int, left: int) -> int:
    wanted = _FIRST_SIZES[number - 1] if number <= len(_FIRST_SIZES) else dice.choice((1, 1, 1, 2, 2, 3, 3, 4, 4, 5))
    return min(wanted, left)


def _household(dice: random.Random, number: int, members: Sequence[ResidentRecord]) -> Household:
    building = words.BUILDINGS[6] if number == 1 else dice.choice(words.BUILDINGS)
    room = f"　{building}{dice.randrange(1, 20)}{dice.randrange(1, 30):02d}号室" if building else ""
    town = words.TOWNS[0] if number == 1 else dice.choice(words.TOWNS)
    block = f"{dice.randrange(1, 6)}丁目{dice.randrange(80, 100)}番{dice.randrange(60, 100)}号"
    return Household(
        household=f"H{number:05d}", address=f"大阪府摂津市{town}{block}{room}", householder=members[0].resident
    )


class _Role(NamedTuple):
    place: int
    sex: Sex
    born: date
    relationship: str


def _family(dice: random.Random, number: int, first: int, size: int) -> list[ResidentRecord]:
    if number == 1:
        return _demo_family()
    roles = _roles(dice, size)
    if number == _FOREIGN_HOUSEHOLD or (number > len(_FIRST_SIZES) and dice.random() < 0.12):
        family = dice.choice(words.FOREIGN_FAMILIES)
        return [_foreign(family, given, p) for given, p in _persons(dice, number, first, roles, _FOREIGN_NAMES)]
    name, kana = dice.choice(words.FAMILY_NAMES)
    people = [_citizen((name, kana), given, p) for given, p in _persons(dice, number, first, roles, _NAMES)]
    return [msgspec.structs.replace(p, register_head=people[0].name) for p in people]


def _roles(dice: random.Random, size: int) -> list[_Role]:
    """A head, a spouse, then children by age, and in large households a parent last."""
    born, sex = _day(dice, 1955, 1990), dice.choice(list(Sex))
    other = Sex.FEMALE if sex is Sex.MALE else Sex.MALE
    roles = [
        _Role(1, sex, born, "世帯主"),
        _Role(2, other, _day(dice, born.year, born.year + 4), "妻" if sex is Sex.MALE else "夫"),
    ]
    count = {Sex.MALE: 0, Sex.FEMALE: 0}
    for place in range(3, size + 1):
        if place == size and size >= 6:
            roles.append(_Role(place, Sex.FEMALE, _day(dice, born.year - 30, born.year - 20), "母"))
            continue
        child = dice.choice([s for s in Sex if count[s] < 4])
        count[child] += 1
        youngest = REFERENCE_DAY - timedelta(days=400 * (size - place) + 30)
        birthday = min(_day(dice, born.year + 20 + place * 2, born.year + 21 + place * 2), youngest)
        roles.append(_Role(place, child, birthday, _CHILDREN[child][count[child] - 1]))
    return roles[:size]


def _persons(
    dice: random.Random, household: int, first: int, roles: Sequence[_Role], names: _Names
) -> list[tuple[tuple[str, str], ResidentRecord]]:
    """The household's members, still without names, each with a given name that nobody else in the house has."""
    given = {sex: dice.sample(names[sex], len(names[sex])) for sex in Sex}
    came, domicile, before = _day(dice, 1995, 2024), _elsewhere(dice), _elsewhere(dice)
    members = []
    for role in roles:
        since = max(came, role.born)
        person = ResidentRecord(
            resident=f"R{first + role.place - 1:05d}",
            household=f"H{household:05d}",
            place=role.place,
            name="",
            kana="",
            born=role.born,
            sex=role.sex,
            relationship=role.relationship,
            resident_since=since,
            address_since=since,
            notified=since + timedelta(days=dice.randrange(0, 14)),
            previous_address=before if since == came else "",
            domicile=domicile,
        )
        members.append((given[role.sex].pop(), person))
    return members


def _citizen(family: tuple[str, str], given: tuple[str, str], person: ResidentRecord) -> ResidentRecord:
    return msgspec.structs.replace(person, name=f"{family[0]} {given[0]}", kana=f"{family[1]} {given[1]}")


def _foreign(family: tuple[str, str, str, str, str], given: tuple[str, str], person: ResidentRecord) -> ResidentRecord:
    name, nationality, status, period, alias = family
    expires = REFERENCE_DAY + timedelta(days=700 + person.place) if period else None
    return msgspec.structs.replace(
        person,
        name=name.format(given[0]),
        domicile="",
        foreign=Foreign(
            nationality=nationality, status=status, period=period, expires=expires, alias=alias.format(given[1])
        ),
    )


def _fates(dice: random.Random, residents: Sequence[ResidentRecord]) -> tuple[list[str], list[Tombstone], set[str]]:
    """Who is under a disclosure restriction, gone, or moving out: none of the nine fixed households."""
    ordinary = [r.resident for r in residents if int(r.household[1:]) > len(_FIRST_SIZES)]
    chosen = dice.sample(ordinary, min(9, len(ordinary)))
    reasons = (GoneReason.DECEASED, GoneReason.MOVED_OUT, GoneReason.DECEASED)
    gone = [
        Tombstone(resident=r, reason=why, since=REFERENCE_DAY) for r, why in zip(chosen[3:6], reasons, strict=False)
    ]
    return sorted(chosen[:3]), gone, set(chosen[6:])


def _leaving(person: ResidentRecord) -> ResidentRecord:
    return msgspec.structs.replace(person, moving_out=date(2027, 3, 31))


def _elsewhere(dice: random.Random) -> str:
    return f"{dice.choice(words.OTHER_PLACES)}{dice.randrange(901, 1000)}番地"


def _day(dice: random.Random, first_year: int, last_year: int) -> date:
    return date(first_year, 1, 1) + timedelta(days=dice.randrange(365 * max(1, last_year - first_year)))


def _demo_family() -> list[ResidentRecord]:
    """Fixed, so that the demo, its pictures and outside tests can name what they look for."""
    tsuji, arrived = "辻\U000e0102", date(2015, 4, 1)
    people = (
        ("浩一", "コウイチ", date(1981, 5, 12), Sex.MALE, "世帯主"),
        ("𠮷乃", "ヨシノ", date(1983, 11, 3), Sex.FEMALE, "妻"),
        ("美咲", "ミサキ", date(2009, 2, 20), Sex.FEMALE, "長女"),
        ("健𠮷", "ケンキチ", date(2019, 5, 1), Sex.MALE, "長男"),
    )
    return [
        ResidentRecord(
            resident=f"R{place:05d}",
            household="H00001",
            place=place,
            name=f"{tsuji} {given}",
            kana=f"ツジ {kana}",
            born=born,
            sex=sex,
            relationship=relationship,
            resident_since=max(arrived, born),
            address_since=max(arrived, born),
            notified=max(arrived, born) + timedelta(days=5),
            previous_address="兵庫県見本市南見本町七丁目901番地の99" if born < arrived else "",
            domicile="大阪府見本市大字見本字上見本987番地",
            register_head=f"{tsuji} 浩一",
        )
        for place, (given, kana, born, sex, relationship) in enumerate(people, 1)
    ]
