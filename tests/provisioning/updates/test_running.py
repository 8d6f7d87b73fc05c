"""What ran before an update must run after it; what did not is no reason to go back."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from provisioning.box.health import HealthWait
from provisioning.updates.running import LOOPS, Ask, running, units_check
from tests.provisioning.updates.city import clock_at


def systemd(**units: tuple[str, str, int]) -> Ask:
    """unit -> load state, active state, restarts; the unit's name is without its ending."""

    def ask(names: Sequence[str]) -> str:
        blocks = []
        for name in names:
            load, active, restarts = units.get(name.removesuffix(".service"), ("not-found", "inactive", 0))
            blocks.append(f"NRestarts={restarts}\nId={name}\nLoadState={load}\nActiveState={active}")
        return "\n\n".join(blocks) + "\n"

    return ask


def test_only_services_that_are_active_count_as_running() -> None:
    ask = systemd(kiosk=("loaded", "active", 0), hostapd=("loaded", "failed", 0))
    wanted = ["hiroba.target", "kiosk.service", "hostapd.service", "heartbeat.timer", "gone.service"]
    assert running(wanted, ask) == ("kiosk.service",)
    assert running(["hiroba.target"], ask) == ()


def test_without_systemd_nothing_is_said_to_run() -> None:
    assert running(["kiosk.service"], lambda _: "") == ()


@pytest.mark.parametrize(
    ("unit", "wrong"),
    [
        (("loaded", "active", 0), ""),
        (("not-found", "inactive", 0), ""),  # the new release has no such unit any more
        (("loaded", "activating", 1), "kiosk.service: activating"),
        (("loaded", "failed", 0), "kiosk.service: failed"),
    ],
)
def test_each_unit_that_is_still_there_must_be_active(unit: tuple[str, str, int], wrong: str) -> None:
    assert units_check(["kiosk.service"], systemd(kiosk=unit))() == wrong


def test_a_unit_that_falls_over_again_and_again_is_not_waited_for() -> None:
    restarts = iter(range(5, 100))  # five before anybody looked

    def ask(names: Sequence[str]) -> str:
        loop = ("loaded", "activating", next(restarts))
        return systemd(gate=("loaded", "failed", 0), kiosk=loop)(names)

    clock = clock_at("2026-11-01")
    begun = clock.monotonic()
    look = units_check(["gate.service", "kiosk.service"], ask)
    said = HealthWait([look], 60, clock=clock, sleep=clock.advance).wait()
    assert (said, type(said), clock.monotonic() - begun) == ("kiosk.service: starts again and again", str, LOOPS)


def test_what_a_unit_did_before_it_was_watched_does_not_count() -> None:
    look = units_check(["gate.service"], systemd(gate=("loaded", "active", LOOPS * 3)))
    assert [look(), look()] == ["", ""]


def test_a_systemd_that_does_not_answer_is_not_healthy() -> None:
    assert units_check(["kiosk.service"], lambda _: "")() != ""
