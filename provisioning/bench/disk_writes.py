"""What a box writes to its card in a day: a small ext4 of its own on a loop device counts every sector, the file
system's journal included, while the real processes and stores work on it. Needs root.

A day is put together from what one of each costs, each made durable by itself as on a quiet box: see DAY. Not in it is
what is not on the card: logs (in memory, systemd/journald.conf.d), the browser's profile (in /run), archives (another
medium). Phones that carry traffic add one write for all of them every ten minutes ([wifi.gate] keep_seconds).
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from device.card.virtual.pki import TestPki
from device.clock import SystemClock
from device.health.readers import canary
from device.logs import open_log
from device.outbox import OUTBOX_MIGRATIONS, Outbox
from device.sender import Sender
from device.store import SMALL_PAGE, Store
from kiosk.simulator import KioskSimulator
from provisioning.bench.box_wifi import BoxWifi
from provisioning.bench.kiosk_visits import Visits
from provisioning.bench.network_lab import NetworkLab
from provisioning.bench.rows import Measured
from provisioning.bench.synthetic_issuer import SyntheticIssuer
from provisioning.bench.visitors import LoginLoad, send
from provisioning.bench.workload import Workload

ROW = "box.written_mb_per_day"
SIZE = 512 << 20
SECTOR = 512
"""Of /sys/block/*/stat, whatever the device's own is (Documentation/block/stat.rst)."""
SETTLED = 25
"""Seconds after which the statistics have fetched the last log-in ([wifi.stats] collect_seconds)."""
DAY = {"visit": 60, "certificate": 60, "login": 300, "heartbeat": 288, "minute": 1440}
"""A busy plaza's day, our own assumption: a certificate with all its screens every ten minutes of ten hours, a log-in
to the Wi-Fi every two, a heartbeat every five."""


@dataclass(frozen=True)
class CountingDisk:
    """A mounted file system that counts. folder: where it is mounted; stat: of its block device."""

    folder: Path
    stat: Path

    def written(self) -> int:
        """Bytes that have reached the device so far, after everything open was sent there."""
        subprocess.run(["sync", "--file-system", self.folder], check=True)
        return int(self.stat.read_text("ascii").split()[6]) * SECTOR

    def cost(self, act: Callable[[], object]) -> int:
        """Bytes that ``act`` writes."""
        before = self.written()
        act()
        return self.written() - before


@contextmanager
def counting_disk(folder: Path) -> Iterator[CountingDisk]:
    """A fresh ext4 below ``folder``; unmounted and gone at the end. Raises CalledProcessError, OSError."""
    image, mounted = folder / "card.img", folder / "card"
    with image.open("wb") as file:
        file.truncate(SIZE)
    mounted.mkdir()
    made = ["mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image)]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["mount", "-o", "loop,noatime", str(image), str(mounted)], check=True)
    try:
        number = mounted.stat().st_dev
        yield CountingDisk(mounted, Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}/stat"))
    finally:
        # Lazy: databases of this process go with it, and the loop device with the last of them.
        subprocess.run(["umount", "--lazy", str(mounted)], check=True)
        image.unlink()


def measure(workload: Workload) -> Iterator[Measured]:
    """See benches.MODULES."""
    try:
        with counting_disk(workload.folder) as made:
            costs = _costs(made, workload)
    except (subprocess.CalledProcessError, OSError) as error:
        yield Measured(ROW, None, note=f"no loop device to count on: {type(error).__name__}")
        return
    day = {name: DAY[name] * each / 1e6 for name, each in costs.items()}
    told = ", ".join(f"{name} {costs[name] / 1024:.0f} KiB × {DAY[name]} = {day[name]:.1f} MB" for name in costs)
    yield Measured(ROW, sum(day.values()), note=told)


def _costs(made: CountingDisk, workload: Workload) -> dict[str, float]:
    """Bytes of one of each."""
    return {**_kiosk(made, workload), **_issuer(made, workload), **_wifi(made, workload), **_heartbeat(made, workload)}


def _steady(made: CountingDisk, one: Callable[[], object], before: int, times: int) -> float:
    """Bytes of one, after so many that the write-ahead log has its full length and is written over in place: a box's
    processes run for weeks.
    """
    for _ in range(before):
        one()
    return made.cost(lambda: [one() for _ in range(times)]) / times


def _kiosk(made: CountingDisk, workload: Workload) -> dict[str, float]:
    folder = made.folder / "kiosk"
    pki = TestPki(folder / "pki")
    pki.ensure(["demo"])
    visits = Visits(KioskSimulator(folder, pki))
    return {"visit": _steady(made, visits.one, workload.size(60, 1), workload.size(60, 1))}


def _issuer(made: CountingDisk, workload: Workload) -> dict[str, float]:
    with SyntheticIssuer(made.folder / "issuer", 200) as issuing:
        return {"certificate": _steady(made, issuing.certificate, workload.size(100, 1), workload.size(100, 1))}


def _wifi(made: CountingDisk, workload: Workload) -> dict[str, float]:
    """Phones that come and go, then minutes in which all of them stay online and nobody does anything."""
    phones, minutes, settled = workload.size(20, 2), workload.size(3, 0), workload.size(SETTLED, 1)
    with NetworkLab(phones) as lab, BoxWifi(lab, made.folder / "wifi", phones, stats=True) as box:
        load = LoginLoad(phones=[(phone.space, phone.number) for phone in lab.phones])

        def come() -> None:
            box.end([phone.ip for phone in lab.phones])
            send(load)

        def day(rounds: int) -> None:
            for _ in range(rounds):
                come()
            time.sleep(settled)

        login = _steady(made, lambda: day(workload.size(10, 1)), workload.size(2, 0), 1) / phones / workload.size(10, 1)
        quiet = made.cost(lambda: time.sleep(60 * minutes or 1))
    return {"login": login, "minute": quiet / max(minutes, 1)}


def _heartbeat(made: CountingDisk, workload: Workload) -> dict[str, float]:
    """The doctor's canary; the outbox opened and a message that goes at once; a process of its own each time."""

    def one() -> None:
        canary(made.folder)
        with closing(Store(made.folder / "outbox.db", OUTBOX_MIGRATIONS, page_bytes=SMALL_PAGE, brief=True)) as store:
            outbox = Outbox(store, SystemClock())
            sender = Sender(outbox, lambda batch: [message.id for message in batch], open_log("bench"))
            sender.tell(outbox.make("heartbeat", uptime_s=1))

    return {"heartbeat": _steady(made, one, 1, workload.size(20, 2))}
