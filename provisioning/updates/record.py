"""What an update came to, where staff find it: the audit, ``updates/last.json``, and the journal.

A disk that takes no audit line must not keep a box on a release that is ill.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from device.audit import AUDIT_MIGRATIONS, Audit
from device.clock import Clock
from device.errors import StoreError
from device.logs import Log
from device.store import Store
from provisioning.updates.errors import BundleError, SourceUnreachable, TrialFailed
from provisioning.updates.slots import LastUpdate, Slots
from provisioning.updates.steps import Step

AUDIT_FILE = Path("update/audit.db")
"""Below the state folder."""
Facts = dict[str, str | int]


class Record:
    """state: the box's state folder."""

    def __init__(self, slots: Slots, state: Path, clock: Clock, log: Log) -> None:
        self._slots = slots
        self._file = state / AUDIT_FILE
        self._clock = clock
        self._log = log

    def step(self, step: Step) -> None:
        """Told before each step."""
        self._log.info("update_step", step=step.value)

    def tell(self, event: str, facts: Facts) -> None:
        """One line in the audit, and the last thing that staff are shown."""
        self._log.info(event, **facts)
        last = LastUpdate(event=event, at=self._clock.now().isoformat(timespec="seconds"), facts=facts)
        self._keep_going(lambda: self._slots.note(last))
        self._keep_going(lambda: self._audit(event, facts))

    def refused(self, error: BundleError) -> None:
        """What was offered and not taken (N10). A line that is down is no refusal, and a trial has told itself."""
        if not isinstance(error, SourceUnreachable | TrialFailed):
            self.tell("update_refused", {"code": error.code})

    def well(self) -> None:
        """The source is as it should be: a former refusal is no more what staff are shown."""
        last = self._slots.last()
        if last is not None and last.event == "update_refused":
            self._slots.forget()

    def _audit(self, event: str, facts: Facts) -> None:
        with closing(Store(self._file, AUDIT_MIGRATIONS)) as store:
            Audit(store, self._clock).record(event, **facts)

    def _keep_going(self, act: Callable[[], None]) -> None:
        try:
            act()
        except (StoreError, OSError, sqlite3.Error) as error:
            self._log.warning("update_not_noted", reason=type(error).__name__)
