"""What stands in a service's way: asked for each alone, and only what some service needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time

import pytest

from device.clock import JST, HeldClock
from kiosk.settings import KioskSettings
from kiosk.shell.readiness import Need, Readiness, Wants, is_open

CLOCK = HeldClock(datetime(2026, 11, 30, 10, 0, tzinfo=JST))
CODES = {Need.READER: "reader.missing", Need.PAGE_PRINTER: "printer.jam", Need.ISSUER: "issuer.unreachable"}
SERVICES = {"paper": Wants((Need.PAGE_PRINTER, Need.READER)), "talk": Wants((Need.ISSUER,)), "read": Wants()}


class Probes:
    """Answers what ``broken`` says, and counts how often each was asked."""

    def __init__(self, *broken: Need) -> None:
        self.broken, self.asked = set(broken), list[Need]()

    def of(self, need: Need) -> Callable[[], str | None]:
        def probe() -> str | None:
            self.asked.append(need)
            return CODES[need] if need in self.broken else None

        return probe

    def readiness(self, services: dict[str, Wants] = SERVICES) -> Readiness:
        return Readiness(KioskSettings(), CLOCK, {need: self.of(need) for need in Need}, services)


def test_what_is_broken_shuts_only_the_services_that_need_it() -> None:
    readiness = Probes(Need.PAGE_PRINTER).readiness()
    assert readiness.look()
    assert [readiness.blocking(name) for name in SERVICES] == ["printer.jam", None, None]


def test_of_two_broken_things_the_first_of_the_table_is_told() -> None:
    readiness = Probes(Need.PAGE_PRINTER, Need.READER).readiness()
    readiness.look()
    assert readiness.blocking("paper") == "reader.missing"


def test_what_no_service_needs_is_never_asked() -> None:
    probes = Probes(*Need)
    readiness = probes.readiness({"read": Wants()})
    readiness.look()
    assert (probes.asked, readiness.blocking("read")) == ([], None)


def test_asking_for_one_service_asks_only_what_it_needs() -> None:
    probes = Probes(Need.ISSUER)
    assert probes.readiness().ask("talk") == "issuer.unreachable"
    assert probes.asked == [Need.ISSUER]


def test_a_missing_setting_shuts_its_service_before_anything_is_asked() -> None:
    readiness = Probes().readiness({"paper": Wants((), lambda _settings: "kiosk.no_staff_code"), "read": Wants()})
    assert [readiness.blocking(name) for name in ("paper", "read")] == ["kiosk.no_staff_code", None]
    assert readiness.stands("kiosk.no_staff_code")


def test_a_look_tells_whether_something_changed() -> None:
    probes = Probes()
    readiness = probes.readiness()
    assert [readiness.look(), readiness.look()] == [False, False]
    probes.broken = {Need.READER}
    assert [readiness.look(), readiness.look()] == [True, False]
    assert readiness.stands("reader.missing")


@pytest.mark.parametrize(
    ("opens", "closes", "at", "serves"),
    [
        ("06:30", "23:00", "06:30", True),
        ("06:30", "23:00", "23:00", False),
        ("22:00", "02:00", "01:59", True),
        ("22:00", "02:00", "12:00", False),
        ("09:00", "09:00", "03:00", True),
    ],
)
def test_the_hours_may_run_over_midnight_and_equal_ones_never_close(
    opens: str, closes: str, at: str, serves: bool
) -> None:
    assert is_open(opens, closes, time.fromisoformat(at)) is serves
