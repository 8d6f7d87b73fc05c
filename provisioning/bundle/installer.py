"""One update from look to proof: take, fill the other slot, switch, watch, keep or go back.

May import: provisioning.bundle, device.errors.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NoReturn, Protocol

import msgspec

from provisioning.bundle.errors import (
    ActivationFailed,
    BundleOlder,
    InstallerBusy,
    NoneForThisBox,
    NoSpace,
    NothingToReturnTo,
    TrialFailed,
)
from provisioning.bundle.manifest import Offer, Release
from provisioning.bundle.slots import Slots, Trial
from provisioning.bundle.waves import included

STARTS = 3
"""Starts of the box that a trial may take: after that the new release is held to be what restarts it."""
_ROOM = 5
"""Disk needed, as a multiple of the bundle: itself, unpacked wheels, byte code."""


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


class Outcome(StrEnum):
    """What a look for updates came to. Values, because each is expected."""

    INSTALLED = "installed"
    UP_TO_DATE = "up_to_date"
    HELD = "held"
    REFUSED_BEFORE = "refused_before"


@dataclass(frozen=True)
class Box:
    """Who this is: name of the box (it decides its wave) and platform (manifest.this_platform)."""

    name: str
    platform: str


def choose(offers: Mapping[str, Offer], box: Box, installed: int, refused: tuple[int, ...]) -> tuple[Outcome, str]:
    """What to do and the target's name, if any. Pure. Raises NoneForThisBox, BundleOlder (N10)."""
    mine = sorted((o.release, name, o) for name, o in offers.items() if o.platform == box.platform)
    if not mine:
        raise NoneForThisBox(source="", platform=box.platform)
    newest = mine[-1][0]
    if newest < installed:
        raise BundleOlder(source="", reason=f"{newest} < {installed}")
    newer = [(release, name, offer) for release, name, offer in mine if release > installed]
    if not newer:
        return Outcome.UP_TO_DATE, ""
    open_to_me = [(release, name) for release, name, offer in newer if included(offer.wave, release, box.name)]
    wanted = [name for release, name in open_to_me if release not in refused]
    if wanted:
        return Outcome.INSTALLED, wanted[-1]
    return (Outcome.REFUSED_BEFORE if open_to_me else Outcome.HELD), ""


@dataclass(frozen=True)
class Ports:
    """fill(bundle, slot): make the slot. lay: put the current slot's units in their places. restart: run it.
    healthy: "" or what is wrong. after_good: tell others (RAUC).
    """

    fill: Callable[[Path, Path], None]
    lay: Callable[[], None]
    restart: Callable[[], None]
    healthy: Callable[[], str]
    after_good: Callable[[], None]


class Installer:
    """Every act is safe to repeat and leaves a box that starts, wherever the power is cut."""

    def __init__(self, slots: Slots, box: Box, ports: Ports) -> None:
        self._slots = slots
        self._box = box
        self._ports = ports

    def update(self, source: Source) -> Outcome:
        """Take and try the newest release that is for this box. Raises a BundleError; TrialFailed when taken back."""
        with self._alone():
            self._settle()
            offers = source.refresh()
            installed = self._slots.release(self._slots.current()).release
            outcome, name = choose(offers, self._box, installed, self._slots.refused())
            if outcome is Outcome.INSTALLED:
                self._install(source, name, offers[name])
            return outcome

    def settle(self) -> Outcome | None:
        """End a trial that a power cut left open; None when there is none. Raises TrialFailed when taken back."""
        with self._alone():
            return self._settle()

    def recover(self) -> bool:
        """At the start of the box, before anything else of ours: count, and go back when a trial keeps restarting it.
        True when it went back.
        """
        with self._alone():
            trial = self._slots.trial()
            if trial is None:
                return False
            if self._slots.current() != trial.slot:
                self._slots.abandon()
                return False
            if self._slots.count_start(trial).starts < STARTS:
                return False
            self._slots.go_back(trial)
            self._ports.lay()
            return True

    def return_to_former(self) -> None:
        """Staff send the current release away. Raises NothingToReturnTo, TrialFailed."""
        with self._alone():
            self._settle()
            other = self._slots.other()
            if not self._slots.whole(other) or self._slots.release(other).release in self._slots.refused():
                raise NothingToReturnTo(slot=other)
            undo = self._slots.release(self._slots.current()).release
            self._try(self._slots.begin(other, undo=undo))

    def _install(self, source: Source, name: str, offer: Offer) -> None:
        self._check_space(source.length(name))
        folder = self._slots.updates / "download"
        bundle = source.download(name, folder)
        slot = self._slots.other()
        facts = Release(release=offer.release, version=offer.version, commit=offer.commit)
        self._slots.fill(slot, facts, lambda place: self._ports.fill(bundle, place))
        shutil.rmtree(folder)
        self._try(self._slots.begin(slot))

    def _try(self, trial: Trial) -> None:
        wrong = self._run_it() or self._ports.healthy()
        if wrong:
            self._take_back(trial, wrong)
        self._ports.after_good()
        self._slots.keep(trial)

    def _run_it(self) -> str:
        """A release whose own units can not be laid or started is as ill as one that does not answer."""
        try:
            self._ports.lay()
            self._ports.restart()
        except ActivationFailed as error:
            return str(error.facts["reason"])
        return ""

    def _take_back(self, trial: Trial, wrong: str) -> NoReturn:
        self._slots.go_back(trial)
        self._run_it()
        raise TrialFailed(release=trial.release, slot=trial.slot, reason=wrong)

    def _settle(self) -> Outcome | None:
        trial = self._slots.trial()
        if trial is None:
            return None
        if self._slots.current() != trial.slot:
            self._slots.abandon()
            return None
        if trial.release in self._slots.refused():
            self._take_back(trial, "cut off on the way back")
        self._try(trial)
        return Outcome.INSTALLED

    def _check_space(self, length: int) -> None:
        free, mb = shutil.disk_usage(self._slots.folder).free, 1_000_000
        if free < _ROOM * length:
            raise NoSpace(folder=self._slots.folder, needed_mb=_ROOM * length // mb, free_mb=free // mb)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Raises SlotsMissing, InstallerBusy."""
        self._slots.current()
        self._slots.updates.mkdir(parents=True, exist_ok=True)
        with (self._slots.updates / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InstallerBusy(folder=self._slots.folder) from error
            yield


def report(slots: Slots) -> dict[str, object]:
    """What stands where, for people and programs."""
    current = slots.current()
    trial = slots.trial()
    return {
        "current": current,
        "slots": {name: msgspec.to_builtins(slots.release(name)) | {"whole": slots.whole(name)} for name in ("a", "b")},
        "trial": msgspec.to_builtins(trial) if trial else None,
        "refused": list(slots.refused()),
    }
