"""The resident's way through the screens: screen x event -> screen, as one table built of the shell's rows and each
service's. Pure.

Rules of this file:
1. ``Journey.table`` holds every move of a person, the hardware or the clock. What does not stand there leaves the
   screen as it is: a double tap, a back-swipe or a card that bounces is no fault of the visitor; nothing is raised.
2. ``still_there`` lies over the screen it came from. A person answers it with STAY or LEAVE; what happens in the
   background meanwhile goes to the screen beneath, and when that moves, the question is gone.
3. What the shell's events (leave, quiet, card left, trouble, alarm) do to a screen is said in the screen's own row.
4. From every screen a way leads home (N11).
5. A service adds moves from its own screens by its own events, and BACK; anything else is refused when it is built.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from device.errors import HirobaError


class IllegalJourney(HirobaError):
    """A service's screens or moves collide with the shell's or another service's. facts: service, reason."""

    code = "journey.illegal"


class Then(Enum):
    """What an untouched screen comes to: ASK the visitor first, HOME at once, FORGET what a passer-by chose."""

    ASK = "ask"
    HOME = "home"
    FORGET = "forget"


@dataclass(frozen=True)
class Quiet:
    """seconds: a number, or the site file's ``idle_seconds`` or ``warning_seconds``. Nobody is asked before idle."""

    then: Then = Then.ASK
    seconds: float | Literal["idle", "warning"] = "idle"


class Card(Enum):
    """What a card that leaves the reader means: nothing (FREE), the visit's end (NEEDED), a page drawn anew (SHOWN).

    A screen that does not show it is not drawn anew: someone may be typing there.
    """

    FREE = "free"
    NEEDED = "needed"
    SHOWN = "shown"


@dataclass(frozen=True, eq=False)
class Screen:
    """One screen and its rules. name: the page's ``data-screen``, unique in the kiosk. quiet None: waits for ever.
    leaves: one touch leads home. fails: trouble ends the visit here, else it is ignored. alarms: an alarm closes the
    kiosk here at once, else when the visitor is done. waits: it moves by itself, so without JavaScript the browser asks
    again. shows_readiness: drawn anew when reader, printer or issuer change. needs_ready: what stands in the service's
    way ends the visit here; beyond, whoever uses the thing finds out.
    """

    name: str
    quiet: Quiet | None = field(default_factory=Quiet)
    card: Card = Card.FREE
    leaves: bool = True
    fails: bool = True
    alarms: bool = True
    waits: bool = False
    shows_readiness: bool = False
    needs_ready: bool = False

    @property
    def path(self) -> str:
        """The page's URL path."""
        return "/" + self.name.replace("_", "-")


@dataclass(frozen=True, eq=False)
class Event:
    """Something that can happen. background: told by hardware or finished work, not by a person or the clock."""

    name: str
    background: bool = False


HOME = Screen(
    "home", Quiet(Then.FORGET), card=Card.SHOWN, leaves=False, waits=True, shows_readiness=True
)  # fails: an error of ours must not show the same broken page again
SERVICES = Screen("services", shows_readiness=True)
TROUBLE = Screen("trouble", Quiet(Then.HOME, 30.0), fails=False, alarms=False, waits=True)
STILL_THERE = Screen("still_there", Quiet(Then.HOME, "warning"), fails=False, alarms=False, waits=True)
CLOSED = Screen("closed", Quiet(Then.FORGET), leaves=False, fails=False, alarms=False, waits=True)
STAFF = Screen("staff", Quiet(Then.HOME), fails=False, alarms=False, shows_readiness=True)
SHELL_SCREENS = (HOME, SERVICES, TROUBLE, STILL_THERE, CLOSED, STAFF)

STARTED = Event("started")
BACK = Event("back")
LEAVE = Event("leave")
QUIET = Event("quiet")
STAY = Event("stay")
RECOVERED = Event("recovered")
CLOSING = Event("closing")
OPENING = Event("opening")
STAFF_CALLED = Event("staff_called")
CARD_LEFT = Event("card_left", background=True)
TROUBLED = Event("troubled", background=True)
ALARMED = Event("alarmed", background=True)
SHELL_EVENTS = (
    STARTED,
    BACK,
    LEAVE,
    QUIET,
    STAY,
    RECOVERED,
    CLOSING,
    OPENING,
    STAFF_CALLED,
    CARD_LEFT,
    TROUBLED,
    ALARMED,
)
HARDWARE = (CARD_LEFT, TROUBLED, ALARMED)
"""What reader, printers and alarm may tell at any time: every screen's row says what then happens."""

Moves = Mapping[tuple[Screen, Event], Screen]

SHELL_MOVES: Moves = {
    (HOME, STARTED): SERVICES,
    (HOME, CLOSING): CLOSED,
    (HOME, STAFF_CALLED): STAFF,
    (TROUBLE, STAFF_CALLED): STAFF,
    (TROUBLE, RECOVERED): HOME,
    (CLOSED, STAFF_CALLED): STAFF,
    (CLOSED, OPENING): HOME,
}


@dataclass(frozen=True)
class ServiceJourney:
    """What a service adds. entrance: where its menu entry leads. steps: the bar above its pages, each a name for the
    words under ``step.NAME`` and the screens it covers.
    """

    entrance: Screen
    moves: Moves
    steps: tuple[tuple[str, tuple[Screen, ...]], ...] = ()

    @property
    def screens(self) -> tuple[Screen, ...]:
        """Its screens, entrance first, each once."""
        named = [self.entrance, *(screen for (origin, _), target in self.moves.items() for screen in (origin, target))]
        return tuple(dict.fromkeys(screen for screen in named if screen not in SHELL_SCREENS))


@dataclass(frozen=True)
class Step:
    """Where the visit stands. service: whose stretch of the way, "" the shell's. beneath: the screen under
    ``still_there``, else None.
    """

    screen: Screen = HOME
    service: str = ""
    beneath: Screen | None = None

    @property
    def owner(self) -> str:
        """The service whose page is shown; "" for a page of the shell."""
        return "" if self.screen in SHELL_SCREENS else self.service


class Journey:
    """The whole table. ``table``: (service, screen, event) -> screen; ``entrances``: what enters a service."""

    def __init__(self, services: Mapping[str, ServiceJourney]) -> None:
        """Raises IllegalJourney."""
        self.services = dict(services)
        self.entrances = {name: Event(f"entered_{name}") for name in services}
        self.table: dict[tuple[str, Screen, Event], Screen] = {}
        self._add("", SHELL_MOVES, SHELL_SCREENS)
        for name, journey in services.items():
            _check(name, journey, services)
            self._add(name, journey.moves, journey.screens)
            self.table["", SERVICES, self.entrances[name]] = journey.entrance

    def _add(self, service: str, moves: Moves, screens: Iterable[Screen]) -> None:
        ruled = {key: target for screen in screens for key, target in rules_of(screen).items()}
        self.table |= {(service, screen, event): target for (screen, event), target in (ruled | dict(moves)).items()}

    def events(self) -> tuple[Event, ...]:
        """Every event that some row knows, and the shell's."""
        rows = [event for _, _, event in self.table]
        return tuple(dict.fromkeys((*SHELL_EVENTS, *rows)))

    def after(self, step: Step, event: Event) -> Step:
        """The step that follows; the same one when the event has no meaning here (rule 1)."""
        if step.beneath is not None:
            return self._over(step, step.beneath, event)
        service = "" if step.screen in SHELL_SCREENS else step.service
        target = self.table.get((service, step.screen, event))
        if target is None:
            return step
        if target is STILL_THERE:
            return Step(target, step.service, beneath=step.screen)
        return Step(target, self._service_at(target, event, step.service))

    def _service_at(self, target: Screen, event: Event, before: str) -> str:
        if target in SHELL_SCREENS:
            return ""
        return next((name for name, entered in self.entrances.items() if entered is event), before)

    def _over(self, step: Step, beneath: Screen, event: Event) -> Step:
        """Rule 2: the question lies over ``beneath``."""
        under = Step(beneath, step.service)
        if event is STAY:
            return under
        if event.background:
            moved = self.after(under, event)
            return step if moved == under else moved
        target = self.table.get(("", STILL_THERE, event))
        return step if target is None else Step(target)


def rules_of(screen: Screen) -> dict[tuple[Screen, Event], Screen]:
    """Rule 3: the moves that follow from a screen's row."""
    told = {
        LEAVE: HOME if screen.leaves else None,
        QUIET: _when_quiet(screen),
        CARD_LEFT: TROUBLE if screen.card is Card.NEEDED else None,
        TROUBLED: TROUBLE if screen.fails else None,
        ALARMED: CLOSED if screen.alarms else None,
    }
    return {(screen, event): target for event, target in told.items() if target is not None}


def _when_quiet(screen: Screen) -> Screen | None:
    leads = {Then.ASK: STILL_THERE, Then.HOME: HOME}
    return leads.get(screen.quiet.then) if screen.quiet else None


def _check(name: str, journey: ServiceJourney, services: Mapping[str, ServiceJourney]) -> None:
    """Rule 5."""
    known = [screen for other in services.values() for screen in other.screens]
    strange = [(s, e) for s, e in journey.moves if s in SHELL_SCREENS or (e in SHELL_EVENTS and e is not BACK)]
    twice = [s for s in journey.screens if sum(o.name == s.name for o in dict.fromkeys((*known, *SHELL_SCREENS))) > 1]
    outside = [target for target in journey.moves.values() if target in SHELL_SCREENS and target not in EXITS]
    wrong = [
        *([] if name.isidentifier() and name not in RESERVED else ["name"]),
        *(f"screen {screen.name}" for screen in twice),
        *(f"{screen.name} x {event.name}" for screen, event in strange),
        *(f"to {target.name}" for target in outside),
    ]
    if wrong:
        raise IllegalJourney(service=name, reason=wrong[0])


RESERVED = frozenset({"shell", *(screen.name for screen in SHELL_SCREENS)})
"""A service's name is its control on the menu, beside the shell's own."""
EXITS = (HOME, SERVICES)
"""Where a service may lead out of itself; trouble and closing follow from the rows."""
