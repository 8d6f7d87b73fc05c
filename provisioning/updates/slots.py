"""Two slots, of which ``current`` runs and ``good`` has proved itself. Knows nothing of bundles' signatures.

    slots/a  slots/b  current -> slots/a  good -> slots/a       updates/trial.json  updates/filling.json

A trial runs while ``trial.json`` exists. ``good`` is for the unit that ends a trial after a power cut: it must run code
that is known to run.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from provisioning.updates.disk import Disk
from provisioning.updates.errors import SlotsMissing
from provisioning.updates.manifest import Release

T = TypeVar("T")
COMMAND = Path(".venv/bin/hiroba")
NAMES = ("a", "b")


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """slot runs on trial, previous is where to return. starts: starts of the box since. undo: sent away by staff.
    units: those that ran before, and so must run after. back: why it is on its way back; "": it is not.
    """

    slot: str
    previous: str
    release: int
    starts: int = 0
    undo: int = 0
    units: tuple[str, ...] = ()
    back: str = ""


class LastUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """The last update that came to something. event: as in the audit; at: ISO 8601; facts: of that event."""

    event: str
    at: str
    facts: dict[str, str | int]


class Slots:
    """folder: /opt/hiroba. Every method leaves a box that starts, wherever the power is cut."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self.folder = folder
        self.disk = disk or Disk()
        self.updates = folder / "updates"

    def path(self, slot: str) -> Path:
        """The folder of ``slot``."""
        return self.folder / "slots" / slot

    def current(self) -> str:
        """The slot that runs. Raises SlotsMissing."""
        link = self.folder / "current"
        if not link.is_symlink() or link.readlink().name not in NAMES:
            raise SlotsMissing(folder=self.folder, reason="current")
        return link.readlink().name

    def other(self) -> str:
        """The slot that does not run."""
        return "b" if self.current() == "a" else "a"

    def release(self, slot: str) -> Release:
        """The release in ``slot``; 0 when it was installed by hand or is not whole."""
        return self._read(self.path(slot) / "release.json", Release) or Release()

    def whole(self, slot: str) -> bool:
        """Whether ``slot`` can be run."""
        filling = self._read(self.updates / "filling.json", str)
        return filling != slot and (self.path(slot) / COMMAND).exists()

    def fill(self, slot: str, release: Release, work: Callable[[Path], None]) -> None:
        """Empty ``slot`` and let ``work`` fill it. Cut or failed in between: it is marked as not whole."""
        self.updates.mkdir(parents=True, exist_ok=True)
        self.disk.write(self.updates / "filling.json", msgspec.json.encode(slot))
        self.disk.empty(self.path(slot))
        self.disk.fill(lambda: work(self.path(slot)))
        self.disk.write(self.path(slot) / "release.json", msgspec.json.encode(release))
        self.disk.remove(self.updates / "filling.json")

    def open_trial(self, slot: str, *, undo: int = 0, units: tuple[str, ...] = ()) -> Trial:
        """``slot`` is to run on trial; it does not yet. undo: the release that staff send away by this."""
        previous = self.current()
        self._lead("good", previous)
        release = self.release(slot).release
        trial = Trial(slot=slot, previous=previous, release=release, undo=undo, units=units)
        self._save(trial)
        return trial

    def run(self, slot: str) -> None:
        """``slot`` is what starts from now on."""
        self._lead("current", slot)

    def trial(self) -> Trial | None:
        """The trial that runs, if any."""
        return self._read(self.updates / "trial.json", Trial)

    def count_start(self, trial: Trial) -> Trial:
        """One more start of the box during ``trial``."""
        counted = msgspec.structs.replace(trial, starts=trial.starts + 1)
        self._save(counted)
        return counted

    def keep(self, trial: Trial) -> None:
        """The trial's slot has proved itself. The trial is open until ``end``."""
        self.refuse(trial.undo)
        self._lead("good", trial.slot)

    def send_back(self, trial: Trial, reason: str) -> None:
        """The trial failed and its release is not tried a second time. The trial is open until ``end``."""
        self._save(msgspec.structs.replace(trial, back=reason))
        if not trial.undo:  # staff's return to a former release that is ill too: neither is a new release to refuse
            self.refuse(trial.release)

    def end(self) -> None:
        """No trial runs."""
        self.disk.remove(self.updates / "trial.json")

    def note(self, last: LastUpdate) -> None:
        """Keep what the last update came to."""
        self.updates.mkdir(parents=True, exist_ok=True)
        self.disk.write(self.updates / "last.json", msgspec.json.encode(last))

    def forget(self) -> None:
        """There is no last update to tell of."""
        self.disk.remove(self.updates / "last.json")

    def last(self) -> LastUpdate | None:
        """What the last update came to."""
        return self._read(self.updates / "last.json", LastUpdate)

    def refused(self) -> tuple[int, ...]:
        """Releases this box took back."""
        return self._read(self.updates / "refused.json", tuple[int, ...]) or ()

    def refuse(self, release: int) -> None:
        """Do not install ``release`` again by itself."""
        if release and release not in self.refused():
            self.disk.write(self.updates / "refused.json", msgspec.json.encode((*self.refused(), release)))

    def forgive(self) -> None:
        """Every release may be tried again."""
        self.disk.remove(self.updates / "refused.json")

    def _lead(self, name: str, slot: str) -> None:
        link = self.folder / name
        if not link.is_symlink() or link.readlink().name != slot:
            self.disk.link(link, Path("slots") / slot)

    def _save(self, trial: Trial) -> None:
        self.updates.mkdir(parents=True, exist_ok=True)
        self.disk.write(self.updates / "trial.json", msgspec.json.encode(trial))

    def _read(self, file: Path, kind: type[T]) -> T | None:
        try:
            return msgspec.json.decode(file.read_bytes(), type=kind)
        except (OSError, msgspec.MsgspecError):
            return None
