"""The update drill in the booted box: releases that are well and ill, what must be refused, and the plug pulled at each
step of the installer. Two roads: HTTPS from the far side, by the unit; a stick, by hand.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import tomli_w

from device.clock import HeldClock, SystemClock
from provisioning.box.install.units import wanted
from provisioning.site.reading import read_site
from provisioning.updates.installer import STARTS
from provisioning.updates.keys import KeyFolder
from provisioning.updates.repository import Repository
from provisioning.updates.steps import AFTER_A_CUT, FORWARD, ROLLBACK, Step
from provisioning.updates.waves import Stage, Wave
from tests.boot.authority import certificate
from tests.boot.changes import breaking, healthy, ill, ill_after_migrating
from tests.boot.conftest import FAR, INSIDE, PYTHON
from tests.boot.container import Container
from tests.boot.publishing import publish, publish_tiny
from tests.boot.test_boot import visit
from tests.provisioning.updates.city import publisher

pytestmark = [pytest.mark.needs("root", "mmdebstrap", "systemd-nspawn"), pytest.mark.timeout(1800)]

UPDATE = "hiroba-update.service"
UPDATES = {
    "source": f"https://{FAR}:8443/repo",
    "cafile": "/etc/hiroba/updates-ca.pem",
    "health_seconds": 50,  # the machine that runs tests may be busy
}
SERVE = f"{INSIDE}/updates_server.py {FAR} /srv/updates /srv/updates-tls.pem"
SERVER = f"""[Unit]
Description=TEST: the city's updates on the far side
After=test-network.service
[Service]
ExecStart=/usr/bin/ip netns exec internet /usr/bin/python3 {SERVE}
Restart=always
[Install]
WantedBy=multi-user.target
"""
SETTLE = "hiroba-settle.service"
ROUNDS = 10
STOPPED = "/run/hiroba-update-stopped"


class Drill:
    """A box, and the city that publishes for it. Versions count up: 0.0.1, 0.0.2 …"""

    def __init__(self, box: Container, city: Repository) -> None:
        self.box, self.city, self.number = box, city, 0
        self.application = box.root / "opt/hiroba"

    def publish(self, change: Callable[[Path, str], None]) -> str:
        """The next release; its version."""
        self.number += 1
        version = f"0.0.{self.number}"
        publish(self.city, version, lambda tree: change(tree, version))
        return version

    def update(self) -> bool:
        """What the timer does at night; whether the unit ended well."""
        self.box.run("systemctl", "start", UPDATE, check=False, seconds=300)
        return self.box.show(UPDATE, "Result")["Result"] == "success"

    def version(self) -> str:
        """Of the command, of the link, and of the kiosk that runs: all the same."""
        told = self.box.run("hiroba", "--version").split()[-1]
        slot = self.application / "slots" / self.slot()
        process = self.box.show("hiroba-kiosk.service", "MainPID")["MainPID"]
        assert f"/opt/hiroba/slots/{self.slot()}/" in self.box.run("cat", f"/proc/{process}/cmdline")
        assert f'version = "{told}"' in (slot / "pyproject.toml").read_text()
        assert not (self.application / "updates/trial.json").exists()
        assert (self.application / "good").readlink() == (self.application / "current").readlink()
        return told

    def published(self) -> str:
        """The version that runs, and a release of the city if it was laid by hand until now."""
        if not self.laid():
            self.publish(healthy)
            assert self.update()
        return self.version()

    def slot(self) -> str:
        return (self.application / "current").readlink().name

    def last(self) -> dict[str, str | int]:
        """The last line of the updates' audit."""
        with closing(sqlite3.connect(self.box.root / "var/lib/hiroba/update/audit.db")) as audit:
            event, facts = audit.execute("SELECT event, facts FROM audit ORDER BY sequence DESC LIMIT 1").fetchone()
        return {"event": event, **json.loads(facts)}

    def whole(self) -> bool:
        """Every unit that the site wants is up."""
        units = wanted(read_site(self.box.root / "etc/hiroba/site.toml"), screen=False)
        return all(self.box.active(unit) for unit in units)

    def laid(self) -> str:
        """Of which release the kiosk's unit is, as systemd has it."""
        words = self.box.show("hiroba-kiosk.service", "Environment")["Environment"].split()
        return next((word.partition("=")[2] for word in words if word.startswith("DRILL=")), "")


@pytest.fixture(scope="module")
def drill(box: Container, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    """The box takes updates from the far side; afterwards it does no more."""
    folder = box.root / "srv/updates"
    folder.mkdir()
    city = Repository(folder / "repo", KeyFolder(tmp_path_factory.mktemp("safe") / "keys"), SystemClock())
    city.create()
    site = box.root / "etc/hiroba/site.toml"
    before = site.read_text("utf-8")
    keys = tomllib.loads(before)
    keys["updates"] = UPDATES
    reachable = keys.setdefault("network", {}).setdefault("reachable", [])
    reachable.append(FAR)
    site.write_text(tomli_w.dumps(keys), "utf-8")
    shutil.copy(city.folder / "metadata/1.root.json", box.root / "etc/hiroba/update-root.json")
    (box.root / "srv/updates-tls.pem").write_bytes(certificate(FAR, box.root / "etc/hiroba/updates-ca.pem"))
    (box.root / "etc/systemd/system/test-updates.service").write_text(SERVER)
    box.run("systemctl", "enable", "--quiet", "--now", "test-updates.service")
    box.run("hiroba", "install", "--units-only")
    yield Drill(box, city)
    site.write_text(before, "utf-8")
    box.run("systemctl", "disable", "--quiet", "--now", "test-updates.service")
    shutil.rmtree(folder)


def test_a_release_over_https_is_tried_kept_and_brings_its_own_units(drill: Drill) -> None:
    before = drill.slot()
    version = drill.publish(healthy)
    assert drill.update()
    assert (drill.version(), drill.laid()) == (version, version)
    assert drill.slot() != before
    assert drill.last() == {"event": "update_kept", "release": 1, "version": version, "slot": drill.slot()}
    assert drill.whole()
    assert visit(drill.box)["state"] == "delivered"
    assert drill.update()  # nothing new: nothing happens
    assert drill.version() == version


def test_an_ill_release_from_a_stick_is_taken_back_within_a_minute(
    drill: Drill, figure: Callable[[str, float], None]
) -> None:
    """It changes the kiosk's database before it falls over; the former release goes on with that."""
    before = drill.version()
    drill.publish(ill_after_migrating)
    stick = drill.box.root / "media/stick"
    shutil.copytree(drill.city.folder, stick)
    told = drill.box.run("/bin/sh", "-c", "hiroba bundle install --from /media/stick 2>&1", check=False, seconds=300)
    shutil.rmtree(stick)
    lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    at = {line.get("step", line["event"]): datetime.fromisoformat(line["timestamp"]) for line in lines}
    seconds = (at["update_taken_back"] - at["switch"]).total_seconds()
    figure("seconds from the switch to an ill release until the former one was back", seconds)
    assert seconds < 60
    assert "bundle.trial_failed" in told or "前の版に戻しました" in told
    assert (drill.version(), drill.laid()) == (before, before)
    assert drill.last()["event"] == "update_taken_back"
    assert "update.taken_back" in drill.box.run("hiroba", "doctor", "--json", check=False)
    with closing(sqlite3.connect(drill.box.root / "var/lib/hiroba/kiosk/kiosk.db")) as kiosk:
        assert kiosk.execute("SELECT count(*) FROM drill").fetchone() == (0,)
    assert visit(drill.box)["state"] == "delivered"
    assert drill.update()  # it is not tried a second time
    assert drill.version() == before


def served_by_a_stranger(drill: Drill, folder: Path) -> None:
    stranger = publisher(folder / "stranger")
    for number in range(8):
        publish_tiny(stranger, f"9.{number}")
    shutil.copytree(stranger.folder, drill.city.folder, dirs_exist_ok=True)


def served_as_it_was(drill: Drill, folder: Path) -> None:
    """The box has seen more since ``kept`` was copied."""
    kept = folder / "kept"
    shutil.copytree(drill.city.folder / "metadata", kept)
    drill.city.renew()
    assert drill.update()
    shutil.copytree(kept, drill.city.folder / "metadata", dirs_exist_ok=True)


def expired(drill: Drill, folder: Path) -> None:
    month_ago = HeldClock(datetime.now(UTC) - timedelta(days=30))
    Repository(drill.city.folder, drill.city.keys, month_ago).renew()


def mixed(drill: Drill, folder: Path) -> None:
    """The newest timestamp and targets with the snapshot of the publication before."""
    metadata = drill.city.folder / "metadata"
    before = max(metadata.glob("*.snapshot.json"), key=lambda file: int(file.name.split(".")[0]))
    publish_tiny(drill.city, "8.0")
    after = max(metadata.glob("*.snapshot.json"), key=lambda file: int(file.name.split(".")[0]))
    shutil.copy(before, after)


def cut_off(drill: Drill, folder: Path) -> None:
    publish_tiny(drill.city, "8.1")
    (bundle,) = (drill.city.folder / "targets").glob("*hiroba-8.1-*")
    bundle.write_bytes(bundle.read_bytes()[:-512])


def with_a_hole(drill: Drill, folder: Path) -> None:
    publish_tiny(drill.city, "8.2")
    (bundle,) = (drill.city.folder / "targets").glob("*hiroba-8.2-*")
    body = bytearray(bundle.read_bytes())
    body[600] ^= 1
    bundle.write_bytes(body)


ATTACKS = {
    "bundle.unsigned": served_by_a_stranger,
    "bundle.older": served_as_it_was,
    "bundle.expired": expired,
    "bundle.damaged (snapshot)": mixed,
    "bundle.damaged (short)": cut_off,
    "bundle.damaged (changed)": with_a_hole,
}


def mend(drill: Drill) -> None:
    """The city publishes on from there: what the box has seen signed stays seen."""
    for offer in drill.city.offers().values():
        if offer.version.startswith("8."):
            drill.city.set_wave(offer.release, Wave(stage=Stage.STOPPED, since=drill.city.clock.now()))
    drill.city.renew()
    drill.city.renew()


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_is_not_as_signed_is_refused_and_nothing_changes(drill: Drill, tmp_path: Path, attack: str) -> None:
    version, tree = drill.version(), sorted((drill.application / "slots").rglob("*"))
    shutil.copytree(drill.city.folder, tmp_path / "true")
    ATTACKS[attack](drill, tmp_path)
    assert not drill.update()
    assert drill.last() == {"event": "update_refused", "code": attack.split(maxsplit=1)[0]}
    assert (drill.version(), drill.whole()) == (version, True)
    assert sorted((drill.application / "slots").rglob("*")) == tree
    if ATTACKS[attack] is served_by_a_stranger:
        shutil.rmtree(drill.city.folder)
        shutil.move(tmp_path / "true", drill.city.folder)
    mend(drill)
    assert drill.update()


def test_a_release_without_a_way_back_is_not_taken(drill: Drill) -> None:
    version = drill.version()
    drill.publish(breaking)
    assert drill.update()
    assert drill.last() == {"event": "update_refused", "code": "bundle.no_way_back"}
    assert drill.version() == version


@contextmanager
def standing_still(drill: Drill, command: str, step: Step) -> Iterator[None]:
    """Within this, the unit that installs or settles stands still at the beginning of ``step``."""
    unit = {"install": UPDATE, "settle": SETTLE}[command]
    drop_in = drill.box.root / f"etc/systemd/system/{unit}.d/stop.conf"
    drop_in.parent.mkdir(exist_ok=True)
    instead = f"{PYTHON} {INSIDE}/stopping_update.py {command} {step}"
    drop_in.write_text(f"[Service]\nExecStart=\nExecStart={instead}\n")
    drill.box.run("systemctl", "daemon-reload")
    yield
    drop_in.unlink()


def pulled(drill: Drill, step: Step) -> None:
    """The plug, when the installer stands still at ``step``."""
    drill.box.until(step, lambda: drill.box.run("cat", STOPPED, check=False) == step)
    drill.box.power_cut()


def comes_back(drill: Drill) -> None:
    """By itself: nobody does more than plug it in."""
    drill.box.start()
    drill.box.until("every unit", drill.whole)
    drill.box.until("the trial has ended", lambda: not (drill.application / "updates/trial.json").exists())
    drill.box.until("settled", lambda: drill.box.show(SETTLE, "ActiveState")["ActiveState"] != "activating")
    drill.box.until("every unit", drill.whole)


STEPS = (Step.LAY,)
"""In each run of the tests; the others in the long one."""
ALL = [pytest.param(step, marks=[] if step in STEPS else pytest.mark.long) for step in (*FORWARD, *ROLLBACK)]


@pytest.mark.parametrize("step", ALL)
def test_a_power_cut_at_a_step_leaves_one_release_whole(drill: Drill, step: Step) -> None:
    old = drill.published()
    new = drill.publish(ill if step in ROLLBACK else healthy)
    with standing_still(drill, "install", step):
        drill.box.run("systemctl", "start", "--no-block", UPDATE)
        pulled(drill, step)
    comes_back(drill)
    expected = {"old": old, "new": new}[AFTER_A_CUT[step]]
    assert (drill.version(), drill.laid()) == (expected, expected)
    assert drill.update()
    expected = old if step in ROLLBACK else new
    assert (drill.version(), drill.laid()) == (expected, expected)
    assert visit(drill.box)["state"] == "delivered"


@pytest.mark.long
def test_a_release_that_never_settles_is_taken_back_before_it_starts_again(drill: Drill) -> None:
    """The box is cut each time that it has come up with the new release: as if that were what brings it down."""
    old = drill.published()
    drill.publish(healthy)
    with standing_still(drill, "install", Step.WATCH):
        drill.box.run("systemctl", "start", "--no-block", UPDATE)
        pulled(drill, Step.WATCH)
    drop_in = drill.box.root / f"etc/systemd/system/{SETTLE}.d/stop.conf"
    drop_in.parent.mkdir()
    instead = f"{PYTHON} {INSIDE}/stopping_update.py settle watch"
    drop_in.write_text(f"[Service]\nExecStart=\nExecStart={instead}\n")
    for _ in range(STARTS - 1):
        drill.box.start()
        pulled(drill, Step.WATCH)
    comes_back(drill)
    shutil.rmtree(drop_in.parent)
    drill.box.run("systemctl", "daemon-reload")
    assert (drill.version(), drill.laid()) == (old, old)
    assert drill.last()["event"] == "update_taken_back"


@pytest.mark.long
def test_a_power_cut_at_any_moment_leaves_one_release_whole(drill: Drill) -> None:
    chance = random.Random(4)
    begun = time.monotonic()
    drill.publish(healthy)
    assert drill.update()
    longest = time.monotonic() - begun
    for _ in range(ROUNDS):
        old, new = drill.version(), drill.publish(healthy)
        drill.box.run("systemctl", "start", "--no-block", UPDATE)
        time.sleep(chance.uniform(0.2, longest))
        drill.box.power_cut()
        comes_back(drill)
        found = drill.version()
        assert (drill.laid(), found in (old, new)) == (found, True)
        assert drill.update()
        assert (drill.version(), drill.laid()) == (new, new)
    assert visit(drill.box)["state"] == "delivered"
