"""A publisher and a box in one folder: TEST keys, tiny bundles, and an installer whose hands a test holds."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from device.clock import JST, Clock, HeldClock, SystemClock
from provisioning.updates import archive
from provisioning.updates.build import put_together
from provisioning.updates.choice import Box
from provisioning.updates.client import Client, FolderFetcher
from provisioning.updates.disk import Disk
from provisioning.updates.installer import Installer, Ports, Timeouts
from provisioning.updates.keys import KeyFolder
from provisioning.updates.manifest import Manifest, Offer
from provisioning.updates.repository import Repository
from provisioning.updates.slots import COMMAND, Slots
from provisioning.updates.steps import Step
from provisioning.updates.waves import Stage, Wave

BOX = Box("chisatooka-1", "cp311-test")
TO_ALL = Wave(stage=Stage.ALL, since=datetime(2026, 11, 1, tzinfo=JST))
ILL = "ill"


def tiny_bundle(folder: Path, version: str, platform: str = BOX.platform) -> Path:
    """A bundle whose tree is one file that says the version; a version that begins with ``ill`` never gets healthy."""
    tree, wheels = folder / f"tree-{version}", folder / "wheels"
    tree.mkdir(parents=True, exist_ok=True)
    wheels.mkdir(exist_ok=True)
    (tree / "version").write_text(version)
    commit = version.encode().hex().ljust(40, "0")
    manifest = Manifest(version=version, commit=commit, platform=platform, built=1_700_000_000)
    return put_together(tree, wheels, manifest, folder / "out")


def publisher(folder: Path, clock: Clock | None = None) -> Repository:
    """An empty repository with fresh TEST keys."""
    repository = Repository(folder / "repo", KeyFolder(folder / "keys"), clock or SystemClock())
    repository.create()
    return repository


def publish(repository: Repository, version: str, wave: Wave = TO_ALL) -> Offer:
    """The next release."""
    return repository.publish(tiny_bundle(repository.folder.parent, version), wave)


def quick_fill(bundle: Path, slot: Path) -> None:
    """A slot without an environment: the tree and a command that says which it is."""
    archive.unpack(bundle, slot / ".bundle")
    for entry in (slot / ".bundle" / archive.TREE).iterdir():
        entry.rename(slot / entry.name)
    shutil.rmtree(slot / ".bundle")
    (slot / COMMAND).parent.mkdir(parents=True)
    (slot / COMMAND).write_text((slot / "version").read_text())


@dataclass
class BoxUnderTest:
    """Slots laid by hand with version ``first`` in slot a. ``ran``: the versions that were started, in turn;
    ``laid``: whose units were laid.
    """

    folder: Path
    repo: Path
    trust: Path
    disk: Disk = field(default_factory=Disk)
    clock: Clock = field(default_factory=SystemClock)
    ran: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    laid: list[str] = field(default_factory=list)
    record: list[str] = field(default_factory=list)
    step: Callable[[Step], None] = lambda _: None
    idle: Callable[[], bool] = lambda: True

    def lay(self) -> BoxUnderTest:
        """As ``hiroba install`` does."""
        slot = self.folder / "slots" / "a"
        (slot / COMMAND).parent.mkdir(parents=True)
        (slot / COMMAND).write_text("first")
        (self.folder / "current").symlink_to("slots/a")
        return self

    @property
    def slots(self) -> Slots:
        """Opened anew each time, as a new process does."""
        return Slots(self.folder, self.disk)

    def runs(self) -> str:
        """The version behind ``current``: what would start now. Fails when nothing would."""
        return (self.folder / "current" / COMMAND).read_text()

    def client(self) -> Client:
        """A new look at the repository."""
        memory = self.slots.updates / "trust"
        fetcher = FolderFetcher(self.repo)
        return Client(str(self.repo), fetcher, trust=self.trust, memory=memory, clock=self.clock, disk=self.disk)

    def starts(self) -> None:
        """The power is on again: systemd starts what ``current`` leads to, with the units that are laid."""
        self.ran.append(self.runs())

    def is_of_one_release(self) -> bool:
        """What is named, what runs and whose units are laid are the same."""
        return {self.runs(), (self.ran or ["first"])[-1], (self.laid or ["first"])[-1]} == {self.runs()}

    def installer(self, patience: Timeouts | None = None) -> Installer:
        """A new process."""
        ports = Ports(
            fill=quick_fill,
            lay=lambda _: self.laid.append(self.runs()),
            restart=lambda _: self.ran.append(self.runs()),
            healthy=lambda _units, _seconds: "does not answer" if self.runs().startswith(ILL) else "",
            after_good=lambda: self.told.append(self.runs()),
            idle=self.idle,
            step=self.step,
            tell=lambda event, _facts: self.record.append(event),
        )
        return Installer(self.slots, BOX, ports, patience)

    def update(self) -> str:
        """One look for updates: the outcome's name."""
        return self.installer().update(self.client()).value


def box_of(repository: Repository, folder: Path, disk: Disk | None = None, clock: Clock | None = None) -> BoxUnderTest:
    """A box that trusts ``repository``'s first root metadata."""
    trust = folder / "update-root.json"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(repository.folder / "metadata" / "1.root.json", trust)
    return BoxUnderTest(folder, repository.folder, trust, disk or Disk(), clock or SystemClock()).lay()


def clock_at(day: str) -> HeldClock:
    """A clock that stands at noon of ``day``."""
    return HeldClock(datetime.fromisoformat(f"{day}T12:00:00+09:00"))
