"""The list of boxes that an issuer apart from city hall goes by: what is too old serves nobody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from io import StringIO

import pytest

from device.clock import JST, HeldClock
from device.errors import HirobaError
from device.logs import open_log
from device.sender import LineDown
from provisioning.cityhall.boxes.authority import Peer
from provisioning.cityhall.errors import EnrolmentRefused, NotEnrolled
from provisioning.enrolment.admitted_boxes import AdmittedBoxes

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=JST)
KIOSK = Peer("plaza-1", "key-1", "1")


class CityHall:
    """Answers, or not."""

    def __init__(self) -> None:
        self.boxes: dict[str, str] = {"plaza-1": "key-1"}
        self.error: HirobaError | None = None

    def __call__(self) -> Mapping[str, str]:
        if self.error:
            raise self.error
        return self.boxes


@pytest.fixture
def hall() -> CityHall:
    return CityHall()


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(NOON)


@pytest.fixture
def boxes(hall: CityHall, clock: HeldClock) -> AdmittedBoxes:
    return AdmittedBoxes(hall, clock, open_log("test", StringIO()), 300)


def test_before_the_first_answer_nobody_is_served(boxes: AdmittedBoxes) -> None:
    assert boxes.refuses(KIOSK) == "list_too_old"
    assert boxes.refresh()
    assert boxes.refuses(KIOSK) is None


def test_a_box_that_is_missing_or_has_another_key_is_refused(boxes: AdmittedBoxes, hall: CityHall) -> None:
    boxes.refresh()
    assert boxes.refuses(Peer("plaza-2", "key-2", "1")) == "box_not_admitted"
    assert boxes.refuses(Peer("plaza-1", "key-2", "1")) == "key_differs"
    hall.boxes = {}
    boxes.refresh()
    assert boxes.refuses(KIOSK) == "box_not_admitted"


@pytest.mark.parametrize("error", [LineDown(reason="timeout"), NotEnrolled(file="box.pem")])
def test_a_line_that_is_down_is_borne_for_a_while_and_then_serves_nobody(
    boxes: AdmittedBoxes, hall: CityHall, clock: HeldClock, error: HirobaError
) -> None:
    boxes.refresh()
    hall.error = error
    clock.advance(299)
    assert not boxes.refresh()
    assert boxes.refuses(KIOSK) is None
    clock.advance(2)
    assert boxes.refuses(KIOSK) == "list_too_old"
    hall.error = None
    assert boxes.refresh()
    assert boxes.refuses(KIOSK) is None


def test_an_issuer_that_city_hall_no_longer_admits_serves_nobody_at_once(boxes: AdmittedBoxes, hall: CityHall) -> None:
    boxes.refresh()
    hall.error = EnrolmentRefused(reason="box_revoked")
    assert not boxes.refresh()
    assert boxes.refuses(KIOSK) == "list_too_old"
