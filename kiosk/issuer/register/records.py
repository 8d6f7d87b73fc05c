"""What the register holds about residents, as the city's own words have it. Pure.

My Number (個人番号) and the resident record code (住民票コード) have no field here: what is not held
cannot be printed.
"""

from __future__ import annotations

from datetime import date
from enum import Enum

import msgspec


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every record: frozen and closed to unknown fields."""


class Sex(Enum):
    """As the resident record has it."""

    MALE = "male"
    FEMALE = "female"


class GoneReason(Enum):
    """Why a resident is no longer one."""

    DECEASED = "deceased"
    MOVED_OUT = "moved_out"


class Foreign(Record, frozen=True, kw_only=True):
    """Items of a foreign resident (住民基本台帳法 §30-45). alias: 通称, "" when there is none."""

    nationality: str
    status: str
    period: str
    expires: date | None = None
    alias: str = ""


class ResidentRecord(Record, frozen=True, kw_only=True):
    """One resident. ``resident`` is the city's internal id, printed nowhere. place: order in the household, from 1.

    relationship: 続柄. domicile and register_head: 本籍・筆頭者, "" for foreign residents. moving_out: 転出予定日.
    Names keep their variation selectors (Moji_Joho collection).
    """

    resident: str
    household: str
    place: int
    name: str
    kana: str
    born: date
    sex: Sex
    relationship: str
    resident_since: date
    address_since: date
    notified: date
    previous_address: str
    domicile: str = ""
    register_head: str = ""
    foreign: Foreign | None = None
    moving_out: date | None = None


class Household(Record, frozen=True, kw_only=True):
    """Those who live together. householder: the resident id of the 世帯主."""

    household: str
    address: str
    householder: str


class Tombstone(Record, frozen=True, kw_only=True):
    """A resident who is gone. It overrides every row about the same resident, older or newer."""

    resident: str
    reason: GoneReason
    since: date


class Population(Record, frozen=True, kw_only=True):
    """An import: the file format of ``hiroba register import`` (JSON)."""

    households: list[Household]
    residents: list[ResidentRecord]
    restricted: list[str] = []
    tombstones: list[Tombstone] = []


class HouseholdNow(Record, frozen=True, kw_only=True):
    """A household as the register has it at this moment: members without the gone, in their order."""

    household: Household
    members: list[ResidentRecord]
    restricted: frozenset[str]

    def member(self, resident: str) -> ResidentRecord | None:
        """The living member with this id, or None."""
        return next((m for m in self.members if m.resident == resident), None)
