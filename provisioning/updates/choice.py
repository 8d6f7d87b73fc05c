"""Which of the releases on offer a box takes now. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from provisioning.updates.errors import BundleOlder, NoneForThisBox
from provisioning.updates.manifest import Offer
from provisioning.updates.schemas import Schemas, without_return
from provisioning.updates.waves import included


class Outcome(StrEnum):
    """The result of a check for updates. Values, because each is expected."""

    INSTALLED = "installed"
    UP_TO_DATE = "up_to_date"
    HELD = "held"
    REFUSED_BEFORE = "refused_before"
    NO_WAY_BACK = "no_way_back"
    IN_USE = "in_use"


@dataclass(frozen=True)
class Box:
    """Who this is: name of the box (it decides its wave) and platform (manifest.this_platform)."""

    name: str
    platform: str


@dataclass(frozen=True)
class Here:
    """What runs: its release (0: installed by hand), releases that were taken back, and its databases."""

    release: int = 0
    refused: tuple[int, ...] = ()
    schemas: Schemas = field(default_factory=dict)


def choose(offers: Mapping[str, Offer], box: Box, here: Here) -> tuple[Outcome, str]:
    """What to do and the target's name, if any: the newest release that is meant for this box, was not taken back and
    leaves a way back. Raises NoneForThisBox, BundleOlder (N10).
    """
    mine = sorted((o.release, name, o) for name, o in offers.items() if o.platform == box.platform)
    if not mine:
        raise NoneForThisBox(source="", platform=box.platform)
    newest = mine[-1][0]
    if newest < here.release:
        raise BundleOlder(source="", reason=f"{newest} < {here.release}")
    newer = [(name, offer) for release, name, offer in mine if release > here.release]
    if not newer:
        return Outcome.UP_TO_DATE, ""
    open_to_me = [(name, offer) for name, offer in newer if included(offer.wave, offer.release, box.name)]
    untried = [(name, offer) for name, offer in open_to_me if offer.release not in here.refused]
    wanted = [name for name, offer in untried if not without_return(offer.schemas, here.schemas)]
    if wanted:
        return Outcome.INSTALLED, wanted[-1]
    if untried:
        return Outcome.NO_WAY_BACK, ""
    return (Outcome.REFUSED_BEFORE if open_to_me else Outcome.HELD), ""
