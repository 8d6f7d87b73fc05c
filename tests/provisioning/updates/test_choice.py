"""Which release a box takes: the newest of its wave that was not taken back and leaves a way back."""

from __future__ import annotations

from device.migrations import Schema
from provisioning.updates.choice import Box, Here, Outcome, choose
from provisioning.updates.manifest import Offer
from tests.provisioning.updates.city import TO_ALL

BOX = Box("chisatooka-1", "cp311-test")
HERE = {"kiosk": Schema(3, 3, 3)}
ADDED = {"kiosk": Schema(4, 3, 4)}
ANNOUNCED = {"kiosk": Schema(3, 3, 4)}
CHANGED = {"kiosk": Schema(4, 4, 4)}


def offers(*schemas: dict[str, Schema]) -> dict[str, Offer]:
    return {
        f"{number}.tar": Offer(
            release=number, version=f"0.{number}", commit="", platform=BOX.platform, wave=TO_ALL, schemas=found
        )
        for number, found in enumerate(schemas, 1)
    }


def test_a_release_that_only_adds_to_a_database_is_taken() -> None:
    assert choose(offers(ADDED), BOX, Here(schemas=HERE)) == (Outcome.INSTALLED, "1.tar")


def test_a_release_that_changes_what_is_there_waits_for_the_one_that_announced_it() -> None:
    assert choose(offers(CHANGED), BOX, Here(schemas=HERE)) == (Outcome.NO_WAY_BACK, "")
    assert choose(offers(ANNOUNCED, CHANGED), BOX, Here(schemas=HERE)) == (Outcome.INSTALLED, "1.tar")
    assert choose(offers(ANNOUNCED, CHANGED), BOX, Here(1, (), ANNOUNCED)) == (Outcome.INSTALLED, "2.tar")


def test_a_former_release_published_anew_is_taken_when_it_can_read_what_stands() -> None:
    assert choose(offers(HERE), BOX, Here(schemas=ADDED)) == (Outcome.INSTALLED, "1.tar")
    assert choose(offers(HERE), BOX, Here(schemas=CHANGED)) == (Outcome.NO_WAY_BACK, "")


def test_a_database_that_only_one_of_the_two_has_stands_in_no_way() -> None:
    assert choose(offers(CHANGED), BOX, Here(schemas={"portal": Schema(1, 1, 1)}))[0] is Outcome.INSTALLED
    assert choose(offers({}), BOX, Here(schemas=HERE))[0] is Outcome.INSTALLED


def test_a_release_that_was_taken_back_is_no_way_forward() -> None:
    assert choose(offers(HERE, CHANGED), BOX, Here(0, (1,), HERE)) == (Outcome.NO_WAY_BACK, "")
    assert choose(offers(HERE), BOX, Here(0, (1,), HERE)) == (Outcome.REFUSED_BEFORE, "")
