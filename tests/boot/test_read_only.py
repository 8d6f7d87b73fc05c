"""A box whose root cannot be written, as systemd/README.md lays it out: only the state, the settings and what systemd
remembers are on /data. Everything works, and nothing of ours asks for more.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.boot.container import Container
from tests.boot.test_boot import join, phone, visit

pytestmark = [pytest.mark.needs("root", "mmdebstrap", "systemd-nspawn"), pytest.mark.timeout(900)]

DATA = "/var/lib/hiroba /etc/hiroba /var/lib/systemd /var/backups/hiroba"
"""Folders that stay writable; the last is the medium for archives."""
FREEZE = f"""[Unit]
Description=TEST: the root is mounted so that nobody can write it
DefaultDependencies=no
Before=local-fs-pre.target systemd-sysusers.service systemd-tmpfiles-setup.service systemd-update-done.service
Wants=local-fs-pre.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -exc 'for d in {DATA} /tmp /var/tmp; do mount --bind $d $d; done; mount -o remount,bind,ro /'
"""
UNIT, WANTED = "etc/systemd/system/test-frozen.service", "etc/systemd/system/sysinit.target.wants/test-frozen.service"
TRY = """for folder in /etc /usr /var /opt /var/log /root; do
  touch "$folder/new" 2>/dev/null && echo "$folder"
done
true"""


@pytest.fixture(scope="module")
def frozen(box: Container) -> Iterator[Container]:
    """The same box, started anew with a root that cannot be written."""
    (box.root / UNIT).write_text(FREEZE)
    (box.root / WANTED).parent.mkdir(exist_ok=True)
    (box.root / WANTED).symlink_to(f"/{UNIT}")
    anew(box)
    yield box
    (box.root / WANTED).unlink()
    (box.root / UNIT).unlink()
    anew(box)


def anew(box: Container) -> None:
    box.power_cut()
    box.start()
    box.until("hiroba.target", lambda: box.active("hiroba.target"))


def test_everything_runs_on_a_root_that_can_not_be_written(frozen: Container, units: list[str]) -> None:
    assert frozen.run("sh", "-c", TRY).split() == []
    frozen.until("all units", lambda: all(frozen.active(unit) for unit in units))
    assert visit(frozen)["state"] == "delivered"
    join(frozen)
    assert phone(frozen, "login") == "online"
    frozen.run("systemctl", "start", "hiroba-backup.service", "hiroba-heartbeat.service", "hiroba-disaster.service")
    assert frozen.run("systemctl", "--failed", "--plain", "--no-legend").strip() == ""


def test_logs_stay_in_memory(frozen: Container) -> None:
    assert frozen.run("sh", "-c", "ls -A /var/log/journal 2>/dev/null | wc -l").strip() == "0"
    assert "/run/log/journal/" in frozen.run("journalctl", "--header")
