"""A command that only shows leaves the state folder as it found it, whether empty, full or on a disk that is read-only.

Every command of ``hiroba`` is in one of three lists here, so that a new one has to say what it is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from captive_portal.stats.database import open_stats_database
from device.audit import Audit
from device.clock import JST, HeldClock
from device.errors import HirobaError
from device.health.readers import CANARY
from device.store import Store
from kiosk.issuer.protocol import OrderContent
from kiosk.issuer.wiring import LEDGER_MIGRATIONS
from kiosk.schema import KIOSK_MIGRATIONS
from kiosk.services.certificates.issuance.journal import Journal
from provisioning.backup.restore import Blank
from provisioning.cli import hiroba

SITE = """[box]
name = "t-1"
lone = true
[city]
name_ja = "試験市"
name_en = "Test City"
telephone = "06-0000-0000"
[issuer]
mayor = "試験市長　見本　太郎"
municipality_code = "27999"
[cityhall_link]
host = "localhost"
ca = "city-ca.pem"
[[wifi.spots]]
name = "hall"
title_ja = "市民ホール"
title_en = "Civic Hall"
interface = "br-lan"
uplink = "eth0"
login = ["voucher"]
ipv4 = { gateway = "10.90.0.1", prefix = 22 }
dhcp = { first = "10.90.0.10", last = "10.90.3.250", lease_seconds = 1800 }
ssids = [{ ssid = "TEST_Free_Wi-Fi", interface = "hap-none0" }]
"""
CITY_HALL = '[cityhall]\ncity_name = "TEST City"\nnames = ["localhost"]\n'
READING = {
    "apply --dry-run --root {state}": (0, 0),
    "backup since --kiosk t-1 --at 2026-11-30 --state {state}": (1, 0),
    "bundle report --config {site} --application {state}/opt": (1, 1),
    "bundle status --application {state}/opt": (1, 1),
    "disaster status": (1, 1),
    "doctor": (1, 1),
    "enrol status": (1, 1),
    "audit verify": (0, 3),
    "retention show": (0, 0),
    "cityhall accounts": (0, 0),
    "cityhall boxes": (0, 0),
    "journal list --state {state}": (0, 0),
    "journal list --open --state {state}": (0, 0),
    "journal show none --state {state}": (1, 1),
    "stats export": (0, 0),
    "stats show": (0, 0),
    "virtual card list --state {state}": (0, 0),
    "voucher list": (0, 0),
    "wifi blocked": (1, 1),
    "wifi online": (1, 1),
    "wifi show none": (1, 1),
}
"""Command -> its exit code without state, and with."""
_WRITING = """
    apply audit-accept backup backup-signer bundle-install bundle-recover bundle-rollback bundle-settle cityhall-ca
    cityhall-code cityhall-factor-reset cityhall-issuer-credential cityhall-recovery cityhall-release
    cityhall-revoke cityhall-role cityhall-staff cityhall-tidy demo disaster-off disaster-on enrol enrol-renew
    heartbeat install journal-resolve register-approve register-credentials register-history
    register-import register-link register-link-card register-link-many register-reject register-requests
    register-restrict register-revoke register-show register-unlink restore retention-run
    run-cityhall run-gate run-issuer run-kiosk run-nginx run-portal run-stats seal-accept-list seal-rotate seed
    storage-open storage-prepare storage-recover voucher-call-back voucher-make wifi-block wifi-end wifi-sealed
    wifi-unblock wifi-unseal wipe
"""
_NO_STATE = """
    backup-key bench bundle-build bundle-init bundle-publish bundle-renew bundle-replace-key bundle-sbom
    bundle-schemas bundle-waves seal-keys seal-new-signer seal-sign-list site-check site-render site-schema
    staff-code storage-status test verify wifi-log-key
"""


def leaves(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command that does something, as its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, click.Group):
            yield from leaves(found, (*before, name))
            if found.invoke_without_command:
                yield (*before, name)
        else:
            yield (*before, name)


def words_of(line: str, folder: Path) -> list[str]:
    """The command's arguments on the box at ``folder``."""
    state, site = folder / "state", folder / "site.toml"
    words = line.format(state=state, site=site).split()
    if "{state}" not in line or line.startswith("apply"):
        config = folder / "cityhall.toml" if words[0] == "cityhall" else site
        words += ["--config", str(config), *(() if "--root" in words else ("--state", str(state)))]
    return words


def run(line: str, folder: Path) -> int:
    """Its exit code, as ``main`` would give it."""
    result = CliRunner().invoke(hiroba, words_of(line, folder))
    if isinstance(result.exception, HirobaError):
        return 1
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code


def tree(folder: Path) -> dict[str, bytes | None]:
    """Every file's content and every folder. Of the heartbeat's own canary, and of the memory that SQLite shares with a
    process that has a database open, only that it is there.
    """
    kept = [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(CANARY) and p.suffix != ".db-shm"]
    return {str(p.relative_to(folder)): p.read_bytes() if p in kept else None for p in folder.rglob("*")}


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A box's files, without state."""
    (tmp_path / "site.toml").write_text(SITE, "utf-8")
    (tmp_path / "cityhall.toml").write_text(CITY_HALL, "utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A box that has been in use, and city hall beside it."""
    folder = tmp_path_factory.mktemp("used")
    (folder / "site.toml").write_text(SITE, "utf-8")
    (folder / "cityhall.toml").write_text(CITY_HALL, "utf-8")
    state = folder / "state"
    Store(state / "kiosk/kiosk.db", KIOSK_MIGRATIONS).close()
    Store(state / "issuer/ledger.db", LEDGER_MIGRATIONS).close()
    open_stats_database(state / "stats/stats.db").close()
    (folder / "people.json").write_text('{"households": [], "residents": []}')
    makes = (
        "voucher make --count 2",
        "cityhall code --box t-1",
        "enrol renew",
        f"register import {folder}/people.json",
    )
    for line in makes:  # each in a process of its own, which closes what it opened
        subprocess.run(
            [sys.executable, "-m", "provisioning", *words_of(line, folder)], capture_output=True, check=False
        )
    return folder


def test_every_command_is_known_to_read_or_to_write() -> None:
    every = {"-".join(words) for words in leaves(hiroba) if words[0] != "virtual" or words[-1] == "list"}
    reading = {"-".join(w for w in line.split(" -")[0].split() if w != "none") for line in READING}
    assert every - reading - set(_NO_STATE.split()) - set(_WRITING.split()) == set()
    assert (set(_WRITING.split()) | set(_NO_STATE.split()) | reading) - every == set()


@pytest.mark.parametrize("line", READING)
def test_a_look_at_a_box_without_state_makes_nothing(box: Path, line: str) -> None:
    assert run(line, box) == READING[line][0]
    assert sorted(path.name for path in box.iterdir()) == ["cityhall.toml", "site.toml"]
    assert Blank(box / "state", box / "site.toml").is_blank()


@pytest.mark.parametrize("line", READING)
def test_a_look_at_a_box_in_use_changes_nothing(used: Path, line: str) -> None:
    before = tree(used)
    assert run(line, used) == READING[line][1]
    assert tree(used) == before


@pytest.mark.needs("root")
@pytest.mark.parametrize("line", READING)
def test_a_look_needs_no_disk_that_can_be_written(used: Path, line: str) -> None:
    mounted = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    hiroba_there = [sys.executable, "-m", "provisioning", *words_of(line, used)]
    command = ["unshare", "--mount", "sh", "-c", mounted, str(used), *hiroba_there]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LANG": "C"})
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == READING[line][1], done.stderr


def test_what_is_not_there_yet_is_told_in_one_line(box: Path) -> None:
    said = CliRunner().invoke(hiroba, words_of("journal list --state {state}", box)).stderr
    assert said.splitlines() == [f"まだ何もありません / nothing there yet: {box}/state/kiosk/kiosk.db"]


def test_what_a_running_process_wrote_last_is_read(used: Path) -> None:
    store = Store(used / "state/kiosk/kiosk.db", KIOSK_MIGRATIONS)  # a write-ahead log lies beside
    with store.transaction() as connection:
        connection.execute("CREATE TABLE just_now (id INTEGER)")
    reader = Store.for_reading(store.path, KIOSK_MIGRATIONS)
    assert reader.rows("SELECT count(*) AS n FROM just_now")[0]["n"] == 0
    reader.close()
    with store.transaction() as connection:
        connection.execute("DROP TABLE just_now")
    store.close()


def test_requests_are_listed_newest_first(tmp_path: Path) -> None:
    store, clock = (
        Store(tmp_path / "kiosk/kiosk.db", KIOSK_MIGRATIONS),
        HeldClock(datetime(2026, 11, 30, 9, tzinfo=JST)),
    )
    journal = Journal(store, Audit(store, clock), clock)
    for request in ("first", "second", "third"):
        journal.ask("visit", OrderContent(request=request, kind="residence_record", answers={}, copies=1))
        clock.advance(60)
    store.close()
    told = CliRunner().invoke(hiroba, ["journal", "list", "--json", "--state", str(tmp_path)]).stdout
    assert [row["request"] for row in json.loads(told)] == ["third", "second", "first"]
