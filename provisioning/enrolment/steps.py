"""A box's steps to its credential: ask with a code, wait for staff, renew in time, ask again after a long time off.

``next_step`` takes whichever step is next, so that a timer enrols a seeded box without anybody at its side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from device.clock import Clock
from provisioning.cityhall.errors import EnrolmentRefused
from provisioning.enrolment.city_hall_client import CityHallClient, EnrolmentStatus
from provisioning.enrolment.identity import Credential, Identity

POLL_SECONDS = 5.0


@dataclass(frozen=True)
class EnrolmentSteps:
    """box: this box's name in its own settings; city hall's code decides the name, and the two have to be equal."""

    box: str
    identity: Identity
    city_hall: CityHallClient
    clock: Clock

    def enrol(self, code: str) -> Credential | None:
        """Ask with a code; the credential when it is given at once, None when staff have to approve."""
        return self._taken(self.city_hall.enrol(code, self.identity.request(self.box)))

    def poll(self) -> Credential | None:
        """Whether staff have decided. Raises EnrolmentRefused (declined, or city hall knows nothing of the question,
        as after a restore of its database); then there is nothing left to wait for.
        """
        try:
            answer = self.city_hall.enrolment(self.identity.pending())
        except EnrolmentRefused:
            self.identity.pending_file.unlink(missing_ok=True)
            raise
        return self._taken(answer)

    def wait(self, seconds: float, sleep: Callable[[float], object]) -> Credential | None:
        """Poll until staff have decided or ``seconds`` are over."""
        end = self.clock.monotonic() + seconds
        while (given := self.poll()) is None and self.clock.monotonic() < end:
            sleep(POLL_SECONDS)
        return given

    def next_step(self, *, force: bool = False) -> Credential | None:
        """The next step: poll, ask with the seed's code, or renew when it is time (or ``force``). None when staff
        must approve first. Raises NotEnrolled when there is neither a credential nor a code.
        """
        self.identity.share()
        if self.identity.pending():
            return self.poll()
        if self.identity.code():
            return self._with_seeds_code()
        credential, now = self.identity.credential(), self.clock.now()
        if credential.expired(now):
            return self.enrol("")
        if not (force or credential.renewal_due(now)):
            return credential
        return self.identity.keep(self.city_hall.renew(self.identity.request(self.box)))

    def _with_seeds_code(self) -> Credential | None:
        """A code that city hall refuses is of no more use; while the line is down it stays."""
        try:
            given = self.enrol(self.identity.code())
        except EnrolmentRefused:
            self.identity.code_file.unlink(missing_ok=True)
            raise
        self.identity.code_file.unlink(missing_ok=True)
        return given

    def _taken(self, answer: EnrolmentStatus) -> Credential | None:
        if answer.box != self.box:
            raise EnrolmentRefused(reason="other_name")
        if answer.state == "declined":
            self.identity.pending_file.unlink(missing_ok=True)
            raise EnrolmentRefused(reason="declined")
        if answer.state == "approved":
            return self.identity.keep(answer.certificate)
        self.identity.wait_for(answer.enrolment)
        return None
