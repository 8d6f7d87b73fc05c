"""``hiroba storage``: the encrypted volume under a box's state."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import click

from device.clock import Clock, SystemClock
from device.errors import SettingsError
from device.logs import Log, open_log
from provisioning.backup.wipe import check_unused, wipe
from provisioning.commands.options import site_options
from provisioning.enrolment.city_hall_client import CityHallClient
from provisioning.enrolment.identity import Identity
from provisioning.errors import RootNeeded
from provisioning.site.model import Site
from provisioning.site.reading import read_site
from provisioning.storage import luks, moving
from provisioning.storage.errors import VolumeFailed
from provisioning.storage.keys import recovery_key
from provisioning.storage.lock_page import Shown, shown_on
from provisioning.storage.opening import Closed, try_opening
from provisioning.storage.preparing import MAPPING, Holders, Prepared, prepare
from provisioning.storage.record import FOLDER, VolumeRecord, read_record

_FOLDER = click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=FOLDER, hidden=True, help="The record's."
)
WAITS = (2.0, 5.0, 10.0, 20.0, 30.0)
"""Seconds between tries, the last one again and again; each is spread, so that a city that lost its power together
does not ask together.
"""
BOOTED, SCREEN_UNIT = Path("/run/systemd/system"), "hiroba-storage-screen.service"
MEANWHILE = Path("/run/hiroba-storage")


@click.group("storage")
def command() -> None:
    """The encrypted volume under this box's state."""


@command.command("prepare")
@site_options
@click.option("--device", required=True, help="A blank partition, by a name that stays: /dev/disk/by-partuuid/…")
@click.option("--typed", is_flag=True, help="Without TPM and city hall: staff type the recovery key at each start.")
@click.option("--only-volume", is_flag=True, help="Make the volume; move nothing onto it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_FOLDER
def prepare_(
    *, config: Path, state: Path, device: str, typed: bool, only_volume: bool, yes: bool, folder: Path
) -> None:
    """Encrypt this box's state: make the volume on DEVICE, move the state onto it, and show the recovery key once.
    Stop hiroba.target first.
    """
    _root("prepare")
    site = read_site(config)
    if not only_volume:
        check_unused(state)
    if not yes:
        click.confirm(f"{device} を暗号化します。中のものは失われます / Encrypt it; what it holds is lost", abort=True)
    holders, ca = _holders(site, state, typed=typed)
    made = prepare(device, site.box.name, holders, ca, folder=folder, cpu=Path("/proc/cpuinfo").read_text("utf-8"))
    _tell(made)
    if not only_volume:
        _move(made, state, folder)


@command.command("open")
@site_options
@click.option("--wait", is_flag=True, help="Go on trying, and say on the screen why it is shut; for the unit.")
@_FOLDER
def open_(config: Path, state: Path, wait: bool, folder: Path) -> None:
    """Open the volume: by the TPM, or with the half of the key that city hall gives."""
    del state
    record, clock, log = read_record(folder), SystemClock(), open_log("storage")
    closed = _try(record, folder, clock, log)
    if closed is not None and not wait:
        raise VolumeFailed(step=closed.code, reason=closed.detail)
    if closed is not None:
        _wait(record, folder, closed, _screen(config), log)


@command.command()
@_FOLDER
def recover(folder: Path) -> None:
    """Open the volume with the recovery key, which is asked for (or read from standard input)."""
    record = read_record(folder)
    typed = click.prompt("回復用の鍵 / recovery key", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    luks.open_with(record.device, record.mapping, recovery_key(typed))
    click.echo("開きました / open")


@command.command()
@_FOLDER
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(folder: Path, as_json: bool) -> None:
    """Show which volume this box has, who helps to open it, and whether it is open."""
    record = read_record(folder)
    facts = {
        "volume": record.volume,
        "device": record.device,
        "unlock": record.unlock,
        "host": record.host,
        "open": Path("/dev/mapper", record.mapping).exists(),
    }
    lines = [f"{key}\t{value}" for key, value in facts.items()]
    click.echo(json.dumps(facts) if as_json else "\n".join(lines))


def _root(name: str) -> None:
    if os.geteuid() != 0:
        raise RootNeeded(command=f"hiroba storage {name}", reason="装置を扱うため / it works on devices")


def _holders(site: Site, state: Path, *, typed: bool) -> tuple[Holders, bytes]:
    link, identity, clock = site.cityhall_link, Identity(state / "enrolment"), SystemClock()
    enrolled = link is not None and identity.certificate_file.exists()
    client = CityHallClient(link, state, identity, clock) if link is not None and enrolled else None
    ca = (state / link.ca).read_bytes() if link is not None and enrolled else b""
    recipient = site.backup.recipient if site.backup else ""
    return Holders(luks.has_tpm(), client, link if enrolled else None, recipient, typed), ca


def _tell(made: Prepared) -> None:
    click.echo(f"回復用の鍵（紙に書いて金庫へ。二度と表示しません）： {made.recovery}")
    click.echo(f"Recovery key (on paper, into the safe; it is not shown again): {made.recovery}")
    if made.escrowed:
        click.echo("市の控えの鍵に封じたものを、管理サーバーが預かりました（hiroba cityhall recovery）。")
        click.echo("City hall keeps it, too, sealed to the city's back-up key (hiroba cityhall recovery).")


def _move(made: Prepared, state: Path, folder: Path) -> None:
    """As at a start, so that a volume that cannot be opened again is never moved onto."""
    if made.record.unlock == "typed":
        luks.open_with(made.record.device, MAPPING, recovery_key(made.recovery))
    elif (closed := try_opening(made.record, folder, SystemClock())) is not None:
        raise VolumeFailed(step=closed.code, reason=closed.detail)
    files = moving.copy_state(MAPPING, state, MEANWHILE)
    moving.write_mount_unit(MAPPING, state)
    wipe(state)  # plain copies; what flash keeps out of reach, only a new card is free of
    for words in (["daemon-reload"], ["enable", "--quiet", moving.MOUNT_UNIT], ["start", moving.MOUNT_UNIT]):
        moving.run(["systemctl", *words])
    click.echo(f"{files} 個のファイルを移しました / moved")


def _try(record: VolumeRecord, folder: Path, clock: Clock, log: Log) -> Closed | None:
    if Path("/dev/mapper", record.mapping).exists():  # staff were faster, by `recover`
        return None
    closed = try_opening(record, folder, clock)
    if closed is not None:
        log.warning("volume_shut", reason=closed.code, detail=closed.detail)
    return closed


def _wait(record: VolumeRecord, folder: Path, closed: Closed, screen: tuple[int, str], log: Log) -> None:
    port, telephone = screen
    shown, clock, tries = Shown(closed, telephone), SystemClock(), 0
    with ExitStack() as page:
        with suppress(OSError):
            page.enter_context(shown_on(port, shown))
            page.callback(_screen_unit, "stop")
            _screen_unit("start")
        while (again := _pause_and_try(record, folder, clock, log, tries)) is not None:
            shown.closed, tries = again, tries + 1
    log.info("volume_open", tries=tries + 1)


def _screen_unit(verb: str) -> None:
    """The browser for the page; on a box without a screen its unit has no cage and does nothing."""
    if BOOTED.is_dir():
        subprocess.run(["systemctl", verb, "--no-block", SCREEN_UNIT], capture_output=True, check=False, timeout=30)


def _pause_and_try(record: VolumeRecord, folder: Path, clock: Clock, log: Log, tries: int) -> Closed | None:
    time.sleep(WAITS[min(tries, len(WAITS) - 1)] * random.uniform(0.7, 1.3))
    return _try(record, folder, clock, log)


def _screen(config: Path) -> tuple[int, str]:
    """(the kiosk's port, whom to call); the site file may be missing or wrong, and the box still has to open."""
    with suppress(SettingsError):
        site = read_site(config)
        return site.kiosk.port, site.city.telephone
    return 8100, ""
