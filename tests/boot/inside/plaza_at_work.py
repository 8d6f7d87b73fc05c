"""Runs inside the container until the plug is pulled: phones that come, download and go, heartbeats to city hall,
back-ups. What somebody was promised is written into a diary as soon as it was promised, and the next run holds the box
to it: a line "broken …" is what it did not keep.
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import subprocess
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

from captive_portal.gate.client import SocketGateClient
from captive_portal.gate.errors import GateUnreachable
from provisioning.demo.plain_browser import ControlMissing
from tests.boot.inside.phone import FAR, log_in, press, probe

FOLDER = Path("/var/lib/hiroba-test")
DIARY, COUNTERS = FOLDER / "diary", FOLDER / "counters.json"
PHONES = 4
PATIENCE_SECONDS = 60.0
KEPT_SECONDS = 5.0
"""Counters of this age have been written down, on a busy machine too (the site file says every half second)."""
LAY = """ip netns add crowd{n}; ip link add crowd{n} type veth peer name eth0 netns crowd{n}
ip link set crowd{n} master br-hall up; ip -n crowd{n} link set lo up
ip -n crowd{n} link set eth0 address 02:00:00:00:01:0{n} up
ip netns exec crowd{n} udhcpc -i eth0 -n -q -f -t 15 -T 4 -s /srv/hiroba/tests/boot/inside/lease.sh"""

ONE_BY_ONE = threading.Lock()
"""dnsmasq looks for three seconds whether an address is free before it gives it to a phone that it does not know."""


class Diary:
    """Lines that are in the file when ``write`` returns. ``last``: what was written of somebody before this run."""

    def __init__(self) -> None:
        FOLDER.mkdir(exist_ok=True)
        words = [line.split() for line in DIARY.read_text().splitlines()] if DIARY.exists() else []
        self.last = {line[0]: line[1] for line in words if len(line) > 1}
        self._file = os.open(DIARY, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, line: str) -> None:
        os.write(self._file, f"{line}\n".encode())


def phone(number: int, diary: Diary) -> None:
    """One phone's life, in its own network namespace."""
    with ONE_BY_ONE:
        subprocess.run(["sh", "-ec", LAY.format(n=number)], check=True, stderr=subprocess.DEVNULL)
    _enter(f"crowd{number}")
    name = f"phone{number}"
    _hold(name, diary)
    while True:
        with suppress(OSError, ControlMissing):
            _visit(name, diary, stays=number == 1)


def _visit(name: str, diary: Diary, *, stays: bool) -> None:
    """Log in, use the Internet, leave; one of them stays."""
    if probe() != "online":
        diary.write(f"{name} asks")
        if log_in() != "online":
            return
        diary.write(f"{name} online")
    for _ in count() if stays else range(random.randint(3, 20)):
        with urllib.request.urlopen(FAR, timeout=5) as answer:  # noqa: S310 - a fixed address
            answer.read()
        time.sleep(0.1)
    diary.write(f"{name} leaves")
    press("logout", "http://10.91.0.1:8180/")
    diary.write(f"{name} left")


def _hold(name: str, diary: Diary) -> None:
    """After a power cut: who was online is online without doing anything, who had left stays outside."""
    wanted = {"online": "online", "left": "portal"}.get(diary.last.get(name, ""))
    end = time.monotonic() + PATIENCE_SECONDS
    while wanted and not (seen := probe()).startswith(wanted):
        if time.monotonic() > end or seen in ("online", "something else"):
            diary.write(f"broken {name} {wanted} {seen}")
            return
        time.sleep(0.2)
    if wanted:
        diary.write(f"kept {name} {wanted}")


def _enter(space: str) -> None:
    """This thread, and the sockets it makes from now on, are in the namespace."""
    with Path(f"/run/netns/{space}").open() as handle:
        if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), 0x40000000):  # CLONE_NEWNET
            raise OSError(ctypes.get_errno(), "setns")


def heartbeats(diary: Diary) -> None:
    """A heartbeat that the command has told is in the outbox or at city hall for ever."""
    while True:
        done = subprocess.run(["hiroba", "heartbeat", "--json"], check=False, capture_output=True, text=True)
        if done.returncode == 0:
            diary.write(f"heartbeat {json.loads(done.stdout)['id']}")
        time.sleep(2.0)


def backups(diary: Diary) -> None:
    """An archive that the command has told is whole."""
    while True:
        time.sleep(random.uniform(0.0, 6.0))
        if subprocess.run(["hiroba", "backup"], check=False, capture_output=True).returncode == 0:
            diary.write("backup written")


def counters(diary: Diary) -> None:
    """Bytes of a session never become fewer, but for what was counted in the last moments."""
    promised = _promised()
    seen = deque[tuple[float, dict[str, int]]](maxlen=200)
    for now in _bytes():
        for session in promised.keys() & now.keys():
            held = now[session] >= promised[session]
            diary.write(f"{'kept' if held else 'broken'} counter {session} {promised[session]} {now[session]}")
        promised = {}
        seen.append((time.monotonic(), now))
        fresh = COUNTERS.with_suffix(".new")
        fresh.write_text(json.dumps(list(seen)))
        fresh.replace(COUNTERS)
        time.sleep(0.3)


def _bytes() -> Iterator[dict[str, int]]:
    """Session -> its bytes both ways, again and again."""
    gate = SocketGateClient(Path("/var/lib/hiroba/gate/gate.sock"))
    while True:
        with suppress(GateUnreachable):
            yield {s.session: s.bytes_up + s.bytes_down for s in gate.sessions()}


def _promised() -> dict[str, int]:
    """The last counters before the power cut that must have been kept."""
    if not COUNTERS.exists():
        return {}
    seen = json.loads(COUNTERS.read_text())
    old = [counts for at, counts in seen if at <= seen[-1][0] - KEPT_SECONDS]
    return dict(old[-1]) if old else {}


def work() -> None:
    diary = Diary()
    jobs: list[Callable[[], None]] = [lambda: heartbeats(diary), lambda: backups(diary), lambda: counters(diary)]
    jobs += [lambda n=n: phone(n, diary) for n in range(1, PHONES + 1)]  # type: ignore[misc]
    threading.excepthook = lambda hooked: diary.write(f"broken job {hooked.exc_value!r}")
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    work()
