"""Random walks through every service: each screen leads home, each word of the hardware is answered, and nothing of one
visit reaches the next (N5).
"""

from __future__ import annotations

import gc
import tempfile
import weakref
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import FrameType, FunctionType, ModuleType
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device.card.presence import Presence
from device.printer.status import Condition
from kiosk.issuer.memory import MemoryIssuer
from kiosk.services import ROWS, load
from kiosk.settings import KioskSettings
from kiosk.shell.service import Service
from kiosk.shell.visit import ServiceVisit
from kiosk.simulator import KioskSimulator

if TYPE_CHECKING:
    from device.card.virtual.pki import TestPki
    from tests.kiosk.conftest import Visitor

MARK = "しるし花子"
"""Stands in the issuer's names and in what is typed; no kiosk says it by itself."""
OPINION: Service = import_module("tests.kiosk.services.opinion.service").SERVICE
SERVICES = (*load(ROWS), OPINION)
ONWARD = ("certificates", "start", "enter", "choose-", "next", "confirm", "pay", "taken", "stay", "how", "say")
"""Controls that lead a visit on, as they begin."""
TYPED = {"pin": "1234", "code": "2468", "said": MARK}

HARDWARE: dict[str, Callable[[KioskSimulator], object]] = {
    "card": lambda kiosk: kiosk.insert(),
    "no card": lambda kiosk: kiosk.remove(),
    "no paper": lambda kiosk: kiosk.pages.set(Condition.PAPER_OUT),
    "paper": lambda kiosk: kiosk.pages.set(Condition.READY),
    "no reader": lambda kiosk: kiosk.reader.service(Presence.NO_READER),
    "reader": lambda kiosk: kiosk.reader.service(Presence.EMPTY),
    "no issuer": lambda kiosk: setattr(kiosk.issuer, "reachable", False),
    "issuer": lambda kiosk: setattr(kiosk.issuer, "reachable", True),
    "receipt out": lambda kiosk: kiosk.receipts.set(Condition.PAPER_OUT),
    "alarm": lambda kiosk: kiosk.kiosk.shell.alarm.raise_("page_mismatch"),
    "no alarm": lambda kiosk: kiosk.kiosk.shell.alarm.clear(),
}


class Walker:
    """Somebody who touches whatever is there, while the hardware does what it likes."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.simulator = visitor, visitor.simulator
        self.parts: list[weakref.ref[ServiceVisit]] = []

    def touch(self, choice: int) -> None:
        """One of the controls of the present page."""
        page = self.visitor.look()
        actions = sorted(page.actions - {"erase", *(f"digit-{digit}" for digit in range(10))})
        self.visitor.touch(actions[choice % len(actions)], **TYPED)
        self.note()

    def onward(self) -> None:
        """What this screen waits for."""
        page = self.visitor.look()
        if page.screen == "place_card":
            self.simulator.insert()
        wanted = [action for action in page.actions if action.startswith(ONWARD)]
        if wanted:
            self.visitor.touch(min(wanted), **TYPED)
        self.note()

    def happen(self, what: str) -> None:
        """The hardware does something; the page of now can be drawn, and a page can be drawn after a round of all."""
        HARDWARE[what](self.simulator)
        self.visitor.look()
        self.simulator.settle()
        self.visitor.look()

    def note(self) -> None:
        """Remember the present service's part, without holding it, and leave the mark in all of its words."""
        part = self.simulator.kiosk.shell.desk.visit.service
        if part is None or any(known() is part for known in self.parts):
            return
        self.parts.append(weakref.ref(part))
        for name in [name for name, value in vars(part).items() if value == ""]:
            setattr(part, name, MARK)

    def go_home(self) -> None:
        """Mend everything, then touch nothing any more. The clock alone leads home."""
        for mended in ("no card", "paper", "reader", "issuer", "no alarm"):
            HARDWARE[mended](self.simulator)
        for _ in range(6):
            self.simulator.settle(200.0)
        assert self.visitor.look().screen == "home"


def held_words(root: object) -> Iterator[str]:
    """Every text that can be reached from ``root`` in memory; code and classes left out."""
    seen, waiting = {id(root)}, [root]
    while waiting:
        here = waiting.pop()
        if isinstance(here, str):
            yield here
        if isinstance(here, (type, ModuleType, FunctionType, FrameType)):
            continue
        for following in gc.get_referents(here):
            if id(following) not in seen:
                seen.add(id(following))
                waiting.append(following)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory, pki: TestPki, staff_hash: str) -> Callable[[], Visitor]:
    """Makes a kiosk with every service, and a visitor in front of it."""
    from tests.kiosk.conftest import QuietLog, Visitor

    def make() -> Visitor:
        folder = Path(tempfile.mkdtemp(dir=tmp_path_factory.getbasetemp()))
        chosen = KioskSettings(terminal="virtual", opens="00:00", closes="00:00", staff_code_hash=staff_hash)
        issuer = MemoryIssuer(names=(MARK, MARK + "二", MARK + "三"))
        return Visitor(KioskSimulator(folder, pki, settings=chosen, log=QuietLog(), issuer=issuer, services=SERVICES))

    return make


STEP = st.one_of(
    *(st.none() for _ in range(5)), st.integers(0, 50), st.sampled_from(sorted(HARDWARE)), st.floats(0, 60)
)


@pytest.mark.parametrize("service", [service.name for service in SERVICES])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(STEP, max_size=30))
def test_whatever_happens_the_way_leads_home_and_nothing_is_left(
    place: Callable[[], Visitor], service: str, steps: list[int | str | float | None]
) -> None:
    walker = Walker(place())
    walker.visitor.touch("start")
    walker.visitor.touch(service)
    walker.note()
    assert walker.parts
    for step in steps:
        if step is None:
            walker.onward()
        elif isinstance(step, str):
            walker.happen(step)
        elif isinstance(step, int):
            walker.touch(step)
        else:
            walker.simulator.settle(step)
    walker.go_home()
    assert walker.visitor.page.language == "ja"
    assert not {"large", "contrast"} & set(walker.visitor.page.display)
    assert nothing_left(walker)


def nothing_left(walker: Walker) -> bool:
    """Whether no part of a past visit lives, no text in the visit bears the mark, and no page of now shows it."""
    gc.collect()
    desk, visitor = walker.simulator.kiosk.shell.desk, walker.visitor
    assert [part() for part in walker.parts] == [None] * len(walker.parts)
    assert [text for text in held_words(desk.visit) if MARK in text] == []
    visitor.touch("start")
    for name in sorted(desk.journey.services):
        visitor.touch(name)
        assert MARK not in visitor.page.html
        visitor.touch("back")
    return visitor.screen == "services"


def test_the_mark_is_found_while_the_visit_lasts(place: Callable[[], Visitor]) -> None:
    """The walk above would see what it looks for."""
    visitor = place()
    visitor.touch("start")
    visitor.touch("opinion")
    assert MARK in visitor.touch("say", said=MARK).html
    assert any(MARK in text for text in held_words(visitor.simulator.kiosk.shell.desk.visit))


@pytest.mark.parametrize("what", sorted(HARDWARE))
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_each_screen_can_be_drawn_after_each_word_of_the_hardware(
    place: Callable[[], Visitor], service: Service, what: str
) -> None:
    walker = Walker(place())
    walker.visitor.touch("start")
    walker.visitor.touch(service.name)
    for _ in range(12):
        before = walker.visitor.look().screen
        walker.happen(what)
        after = walker.visitor.page
        assert after.screen == before or "data-trouble" in after.facts or after.screen in ("closed", "enter_pin")
        walker.touch(0)
