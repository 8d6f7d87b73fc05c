"""The text of a residence record (住民票の写し), item by item. Pure.

Only what was asked for is here; My Number and the resident record code are in no record
(kiosk.issuer.register.records), so they cannot be.
"""

from __future__ import annotations

from collections.abc import Collection

from kiosk.issuer.kinds.kind import SheetOrder
from kiosk.issuer.kinds.residence_record.form import ITEMS, REGISTERED_DOMICILE, RELATIONSHIP
from kiosk.issuer.paper.eras import era_date, western_date
from kiosk.issuer.paper.sheet import Block, Item, Sheet
from kiosk.issuer.register.records import HouseholdNow, ResidentRecord, Sex

_SEX = {Sex.MALE: "男", Sex.FEMALE: "女"}


def sheet(order: SheetOrder) -> Sheet:
    """The words for the persons ordered. Raises KeyError for one who is not in the household."""
    house, shown = order.house, order.answers[ITEMS]
    by_id = {m.resident: m for m in house.members}
    persons = sorted((by_id[p] for p in order.persons), key=lambda m: m.place)
    whole = len(persons) == len(house.members)
    return Sheet(
        title="住民票の写し",
        continued="住民票の写し（続き）",
        heading=_heading(house, by_id[house.household.householder], shown),
        blocks=[_block(m, shown) for m in persons],
        end="以下余白",
        sentence=certifying_sentence(whole),
        date=era_date(order.issue.day),
        authority=order.issue.authority,
        number_label="発行番号",
        number=order.issue.number,
    )


def certifying_sentence(whole: bool) -> str:
    """What the mayor certifies: the whole household, or some of its members."""
    extent = "世帯全員" if whole else "世帯の一部の者"
    return f"この写しは、{extent}の住民票の原本と相違ないことを証明する。"


def _heading(house: HouseholdNow, householder: ResidentRecord, shown: Collection[str]) -> list[Item]:
    """The household's address; its householder belongs to the relationships and is omitted with them."""
    address = Item("住所", house.household.address)
    return [address, Item("世帯主", householder.name)] if RELATIONSHIP in shown else [address]


def _block(person: ResidentRecord, shown: Collection[str]) -> Block:
    narrow = [Item("生年月日", _born(person)), Item("性別", _SEX[person.sex])]
    if RELATIONSHIP in shown:
        narrow.append(Item("続柄", person.relationship))
    since = "外国人住民となった年月日" if person.foreign else "住民となった年月日"
    narrow.append(Item(since, era_date(person.resident_since)))
    narrow.append(Item("住所を定めた年月日", era_date(person.address_since)))
    narrow.append(Item("届出年月日", era_date(person.notified)))
    wide = []
    if person.foreign:
        narrow.extend(_foreign(person))
        wide.extend([Item("通称", person.foreign.alias)] if person.foreign.alias else [])
    if person.previous_address:
        wide.append(Item("前住所", person.previous_address))
    if REGISTERED_DOMICILE in shown and person.domicile:
        wide += [Item("本籍", person.domicile), Item("筆頭者", person.register_head)]
    rows = [narrow[i : i + 2] for i in range(0, len(narrow), 2)] + [[item] for item in wide]
    return Block(label="氏名", kana=person.kana, name=person.name, rows=rows)


def _born(person: ResidentRecord) -> str:
    return western_date(person.born) if person.foreign else era_date(person.born)


def _foreign(person: ResidentRecord) -> list[Item]:
    found = person.foreign
    if found is None:
        return []
    fields = [Item("国籍・地域", found.nationality), Item("在留資格", found.status)]
    if found.period and found.expires:
        fields += [Item("在留期間等", found.period), Item("在留期間の満了の日", western_date(found.expires))]
    return fields
