"""One update: download, fill the other slot, switch, watch, keep or roll back. Steps: steps.Step."""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, Protocol

import msgspec

from device.clock import Clock, SystemClock
from provisioning.updates.choice import Box, Here, Outcome, choose
from provisioning.updates.errors import ActivationFailed, InstallerBusy, NoSpace, NothingToRollBackTo, TrialFailed
from provisioning.updates.manifest import Offer, Release
from provisioning.updates.schemas import read as read_schemas
from provisioning.updates.slots import Slots, Trial
from provisioning.updates.steps import Step

STARTS = 3
"""Starts of the box that a trial may take: after that the new release is held to be what restarts it."""
IDLE_SECONDS = 900.0
"""So long a resident at the kiosk is waited for; then the release is left for the next night."""
BACK_SECONDS = 60.0
"""So long each command of the way back may take."""
_ROOM = 5
"""Disk needed, as a multiple of the bundle: itself, unpacked wheels, byte code."""
_PAUSE = 2.0


class Source(Protocol):
    """Where verified bundles come from; client.Client is one."""

    def refresh(self) -> Mapping[str, Offer]:
        """Target name -> offer. Raises a BundleError."""
        ...

    def length(self, name: str) -> int:
        """Bytes."""
        ...

    def download(self, name: str, folder: Path) -> Path:
        """The verified file. Raises a BundleError."""
        ...


@dataclass(frozen=True)
class Ports:
    """fill(bundle, slot): make the slot. lay, restart (within seconds): put the current slot's units in their places,
    run it. running: units that run now. healthy(units, seconds): "" or what is wrong. idle: nobody is at the kiosk.
    after_good: tell others (RAUC). step: told before each step. tell(event, facts): the audit.
    """

    fill: Callable[[Path, Path], None]
    lay: Callable[[float], None]
    restart: Callable[[float], None]
    healthy: Callable[[tuple[str, ...], float], str]
    after_good: Callable[[], None]
    running: Callable[[], tuple[str, ...]] = tuple
    idle: Callable[[], bool] = lambda: True
    step: Callable[[Step], None] = lambda _: None
    tell: Callable[[str, dict[str, str | int]], None] = lambda _event, _facts: None


@dataclass(frozen=True)
class Timeouts:
    """health: seconds from the switch until the new release must be healthy. idle: see IDLE_SECONDS."""

    health: float = 35.0
    idle: float = IDLE_SECONDS
    clock: Clock = field(default_factory=SystemClock)
    sleep: Callable[[float], None] = time.sleep


class Installer:
    """Every act is safe to repeat and leaves a box that starts, wherever the power is cut."""

    def __init__(self, slots: Slots, box: Box, ports: Ports, patience: Timeouts | None = None) -> None:
        self._slots = slots
        self._box = box
        self._ports = ports
        self._patience = patience or Timeouts()

    def update(self, source: Source, *, again: bool = False) -> Outcome:
        """Take and try the newest release that is for this box; ``again``: one that was taken back, too.

        Raises a BundleError; TrialFailed when taken back.
        """
        with self._alone():
            self._settle()
            if again:
                self._slots.forgive()
            self._ports.step(Step.LOOK)
            offers = source.refresh()
            outcome, name = choose(offers, self._box, self._here())
            if outcome is Outcome.INSTALLED:
                return self._install(source, name, offers[name])
            return outcome

    def settle(self, *, after_start: bool = False) -> Outcome | None:
        """End a trial that a power cut left open; None when there is none. after_start: the box has just started with
        what ``recover`` laid, so it only needs watching. Raises TrialFailed when taken back.
        """
        with self._alone():
            return self._settle(after_start=after_start)

    def recover(self) -> bool:
        """At the start of the box, before anything else of ours: lay what ``current`` leads to; go back when a trial
        keeps restarting the box or cannot be laid. True when it went back. Nothing to do while an update is at work.
        """
        try:
            with self._alone():
                return self._recover()
        except InstallerBusy:
            return False

    def roll_back(self) -> None:
        """Staff roll back from the current release. Raises NothingToRollBackTo, TrialFailed."""
        with self._alone():
            self._settle()
            other = self._slots.other()
            if not self._slots.whole(other) or self._slots.release(other).release in self._slots.refused():
                raise NothingToRollBackTo(slot=other)
            self._try(self._begin(other, undo=self._slots.release(self._slots.current()).release))

    def _here(self) -> Here:
        current = self._slots.current()
        schemas = read_schemas(self._slots.path(current))
        return Here(self._slots.release(current).release, self._slots.refused(), schemas)

    def _install(self, source: Source, name: str, offer: Offer) -> Outcome:
        self._check_space(source.length(name))
        folder = self._slots.updates / "download"
        self._ports.step(Step.DOWNLOAD)
        bundle = source.download(name, folder)
        slot = self._slots.other()
        facts = Release(release=offer.release, version=offer.version, commit=offer.commit)
        self._ports.step(Step.FILL)
        self._slots.fill(slot, facts, lambda place: self._ports.fill(bundle, place))
        shutil.rmtree(folder)
        self._ports.step(Step.IDLE)
        if not self._wait_for_idle():
            return Outcome.IN_USE
        self._try(self._begin(slot))
        return Outcome.INSTALLED

    def _wait_for_idle(self) -> bool:
        """Nobody's visit is cut off by an update."""
        until = self._patience.clock.monotonic() + self._patience.idle
        while not self._ports.idle():
            if self._patience.clock.monotonic() >= until:
                return False
            self._patience.sleep(_PAUSE)
        return True

    def _begin(self, slot: str, undo: int = 0) -> Trial:
        self._ports.step(Step.TRIAL)
        trial = self._slots.open_trial(slot, undo=undo, units=self._ports.running())
        self._ports.step(Step.SWITCH)
        self._slots.run(slot)
        return trial

    def _try(self, trial: Trial, *, laid: bool = False) -> None:
        """laid: its units are in their places and run."""
        try:
            wrong = self._watch(trial, laid=laid)
        except Exception as broken:  # whatever it was: of the former release it is known that it runs
            wrong = type(broken).__name__
        if wrong:
            self._take_back(trial, wrong)
        self._ports.step(Step.TELL)
        self._ports.after_good()
        self._ports.step(Step.KEEP)
        self._slots.keep(trial)
        version = self._slots.release(trial.slot).version
        self._ports.tell("update_kept", {"release": trial.release, "version": version, "slot": trial.slot})
        self._ports.step(Step.END)
        self._slots.end()

    def _watch(self, trial: Trial, *, laid: bool) -> str:
        until = self._patience.clock.monotonic() + self._patience.health
        wrong = "" if laid else self._run_it(Step.LAY, Step.RESTART, until)
        if wrong:
            return wrong
        self._ports.step(Step.WATCH)
        return self._ports.healthy(trial.units, self._left(until))

    def _left(self, until: float) -> float:
        return max(1.0, until - self._patience.clock.monotonic())

    def _run_it(self, lay: Step, restart: Step, until: float) -> str:
        """A release whose own units cannot be laid or started is as ill as one that does not answer."""
        try:
            self._ports.step(lay)
            self._ports.lay(self._left(until))
            self._ports.step(restart)
            self._ports.restart(self._left(until))
        except ActivationFailed as error:
            return str(error.facts["reason"])
        return ""

    def _take_back(self, trial: Trial, wrong: str) -> NoReturn:
        """The trial ends when the former release's units are laid and run: cut before that, the next start does it."""
        self._ports.step(Step.REFUSE)
        self._send_back(trial, wrong)
        self._ports.step(Step.SWITCH_BACK)
        self._slots.run(trial.previous)
        self._run_it(Step.LAY_BACK, Step.RESTART_BACK, self._patience.clock.monotonic() + BACK_SECONDS)
        self._end_back(trial, wrong)
        raise TrialFailed(release=trial.release, slot=trial.slot, reason=wrong)

    def _send_back(self, trial: Trial, wrong: str) -> None:
        """A full disk takes no note, and must not keep the box on a release that is ill."""
        with suppress(OSError):
            self._slots.send_back(trial, wrong)

    def _end_back(self, trial: Trial, wrong: str) -> None:
        self._ports.tell("update_taken_back", {"release": trial.release, "slot": trial.slot, "reason": wrong})
        self._ports.step(Step.END_BACK)
        self._slots.end()

    def _settle(self, *, after_start: bool = False) -> Outcome | None:
        trial = self._slots.trial()
        if trial is None:
            return None
        if trial.back:
            self._take_back(trial, trial.back)
        if self._slots.current() != trial.slot:
            self._slots.end()  # it never came to run
            return None
        self._try(trial, laid=after_start)
        return Outcome.INSTALLED

    def _recover(self) -> bool:
        trial = self._slots.trial()
        if trial is None:
            return False
        if self._slots.current() != trial.slot and not trial.back:
            self._slots.end()  # it never came to run
            return False
        wrong = self._goes_on(trial)
        if not wrong:
            return False
        self._send_back(trial, wrong)
        self._slots.run(trial.previous)
        self._lay_alone(Step.LAY_BACK)
        self._end_back(trial, wrong)
        return True

    def _goes_on(self, trial: Trial) -> str:
        """ "" when the trial may go on at this start of the box, with its units laid; else why not."""
        if trial.back:
            return trial.back
        if self._slots.count_start(trial).starts >= STARTS:
            return "restarts the box"
        return self._lay_alone(Step.LAY)

    def _lay_alone(self, step: Step) -> str:
        try:
            self._ports.step(step)
            self._ports.lay(BACK_SECONDS)
        except ActivationFailed as error:
            return str(error.facts["reason"])
        return ""

    def _check_space(self, length: int) -> None:
        free, mb = shutil.disk_usage(self._slots.folder).free, 1_000_000
        if free < _ROOM * length:
            raise NoSpace(folder=self._slots.folder, needed_mb=_ROOM * length // mb, free_mb=free // mb)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Raises SlotsMissing, InstallerBusy."""
        self._slots.current()
        self._slots.updates.mkdir(parents=True, exist_ok=True)
        self._slots.updates.chmod(0o755)
        with (self._slots.updates / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InstallerBusy(folder=self._slots.folder) from error
            yield


def report(slots: Slots) -> dict[str, object]:
    """The contents of both slots, for people and programs."""
    current = slots.current()
    trial, last = slots.trial(), slots.last()
    return {
        "current": current,
        "slots": {name: msgspec.to_builtins(slots.release(name)) | {"whole": slots.whole(name)} for name in ("a", "b")},
        "trial": msgspec.to_builtins(trial) if trial else None,
        "refused": list(slots.refused()),
        "last": msgspec.to_builtins(last) if last else None,
    }
