"""The services that this kiosk offers: the menu, how one is entered, and the hooks of the present one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kiosk.shell.journey import CARD_LEFT, SERVICES, Card
from kiosk.shell.readiness import Need
from kiosk.shell.service import Running, Service, Shell


@dataclass(frozen=True)
class Entry:
    """One service on the menu. blocking: the code of what stands in its way now, or None."""

    name: str
    icon: str
    blocking: str | None


class Menu:
    """Every service that is switched on, in the site file's order, with what it became."""

    def __init__(self, shell: Shell, services: Sequence[Service], running: Mapping[str, Running]) -> None:
        self._shell, self._services, self._running = shell, tuple(services), running

    def entries(self) -> list[Entry]:
        """What the menu shows."""
        blocking = self._shell.readiness.blocking
        return [Entry(service.name, service.icon, blocking(service.name)) for service in self._services]

    def choose(self, name: str) -> None:
        """A visitor touched the entry. A service that cannot serve now says why; an unknown name does nothing."""
        service = next((service for service in self._services if service.name == name), None)
        if service is None:
            return
        code = self._shell.readiness.blocking(name)
        if code is None:
            self._enter(service)
        elif (visit := self._shell.desk.begin(SERVICES)) is not None:
            self._shell.desk.trouble(visit, code)

    def _enter(self, service: Service) -> None:
        if self._shell.desk.enter(service.name, self._running[service.name].visit()):
            needs_reader = Need.READER in service.wants.needs
            if needs_reader and self._shell.card_there():
                self._shell.spawn("card", self._running[service.name].card_arrived)

    def tick(self) -> None:
        """A round of the clock for the service that the visitor is in."""
        service = self._shell.desk.visit.step.service
        if service:
            self._running[service].tick()

    def card_arrived(self) -> None:
        """A card was put down: told to the service that the visitor is in."""
        service = self._shell.desk.visit.step.service
        if service:
            self._running[service].card_arrived()

    def card_left(self) -> None:
        """The card went away. Only a card that is still needed ends the visit."""
        with self._shell.desk.held() as visit:
            rule = (visit.step.beneath or visit.step.screen).card
            if rule is Card.NEEDED and visit.service is not None and visit.service.needs_card:
                self._shell.desk.move(CARD_LEFT)
            elif rule is Card.SHOWN:
                self._shell.desk.revise()

    def open_matters(self) -> int:
        """How many decisions wait for staff, of all services."""
        return sum(running.open_matters() for running in self._running.values())
