"""What a residence record (住民票の写し) says, item by item: every word that will stand on the paper. Pure.

Only what was asked for is here; My Number and the resident record code are in no record
(kiosk.issuer.register.records), so they cannot be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from kiosk.issuer.paper.eras import era_date, western_date
from kiosk.issuer.protocol import Options
from kiosk.issuer.register.records import HouseholdNow, ResidentRecord, Sex

_SEX = {Sex.MALE: "男", Sex.FEMALE: "女"}


class Field(msgspec.Struct, frozen=True):
    """One item: its label and its value."""

    label: str
    value: str


class MemberBlock(msgspec.Struct, frozen=True, kw_only=True):
    """One member's table: the name under its label, then rows of one or two fields."""

    label: str
    kana: str
    name: str
    rows: list[list[Field]]


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """The words of one copy."""

    title: str
    continued: str
    heading: list[Field]
    members: list[MemberBlock]
    end: str
    sentence: str
    date: str
    authority: str
    number_label: str
    number: str


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """What a paper bears beside the register's content. authority: who certifies. day: the date on the paper."""

    number: str
    authority: str
    day: date


def residence_record(house: HouseholdNow, persons: Sequence[str], options: Options, stamp: Stamp) -> Sheet:
    """The sheet for these members (resident ids). Raises KeyError for one who is not in the household."""
    by_id = {m.resident: m for m in house.members}
    wanted = sorted((by_id[p] for p in persons), key=lambda m: m.place)
    whole = len(wanted) == len(house.members)
    return Sheet(
        title="住民票の写し",
        continued="住民票の写し（続き）",
        heading=_heading(house, by_id[house.household.householder], options),
        members=[_member(m, options) for m in wanted],
        end="以下余白",
        sentence=certifying_sentence(whole),
        date=era_date(stamp.day),
        authority=stamp.authority,
        number_label="発行番号",
        number=stamp.number,
    )


def certifying_sentence(whole: bool) -> str:
    """What the mayor certifies: the whole household, or some of its members."""
    extent = "世帯全員" if whole else "世帯の一部の者"
    return f"この写しは、{extent}の住民票の原本と相違ないことを証明する。"


def words_of(sheet: Sheet) -> Iterator[str]:
    """Every text of the sheet, for the glyph check."""
    return _texts(msgspec.to_builtins(sheet))


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)


def _heading(house: HouseholdNow, householder: ResidentRecord, options: Options) -> list[Field]:
    """The household's address; its householder belongs to the relationships and is omitted with them."""
    address = Field("住所", house.household.address)
    return [address, Field("世帯主", householder.name)] if options.relationship else [address]


def _member(person: ResidentRecord, options: Options) -> MemberBlock:
    narrow = [Field("生年月日", _born(person)), Field("性別", _SEX[person.sex])]
    if options.relationship:
        narrow.append(Field("続柄", person.relationship))
    since = "外国人住民となった年月日" if person.foreign else "住民となった年月日"
    narrow.append(Field(since, era_date(person.resident_since)))
    narrow.append(Field("住所を定めた年月日", era_date(person.address_since)))
    narrow.append(Field("届出年月日", era_date(person.notified)))
    wide = []
    if person.foreign:
        narrow.extend(_foreign(person))
        wide.extend([Field("通称", person.foreign.alias)] if person.foreign.alias else [])
    if person.previous_address:
        wide.append(Field("前住所", person.previous_address))
    if options.registered_domicile and person.domicile:
        wide += [Field("本籍", person.domicile), Field("筆頭者", person.register_head)]
    rows = [narrow[i : i + 2] for i in range(0, len(narrow), 2)] + [[field] for field in wide]
    return MemberBlock(label="氏名", kana=person.kana, name=person.name, rows=rows)


def _born(person: ResidentRecord) -> str:
    return western_date(person.born) if person.foreign else era_date(person.born)


def _foreign(person: ResidentRecord) -> list[Field]:
    found = person.foreign
    if found is None:
        return []
    fields = [Field("国籍・地域", found.nationality), Field("在留資格", found.status)]
    if found.period and found.expires:
        fields += [Field("在留期間等", found.period), Field("在留期間の満了の日", western_date(found.expires))]
    return fields
