"""One booted box for all tests of this folder, installed as the README says, its hardware virtual."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provisioning.box.install.units import CITY_HALL, wanted
from provisioning.site.reading import read_site
from tests.boot.container import Container
from tests.boot.rootfs import SOURCE, inside, unpacked

HERE = Path(__file__).parent
SITE = HERE / "site.toml"
LAY_OUT = f"""set -e
cd /{SOURCE}
./hiroba install --site tests/boot/site.toml --without-screen --no-start
.venv/bin/python tests/boot/inside/prepare.py
cp tests/boot/units/*.service /etc/systemd/system/
mkdir -p /etc/systemd/system/pcscd.service.d
cp tests/boot/units/pcscd.service.d-vpcd.conf /etc/systemd/system/pcscd.service.d/vpcd.conf
cp tests/boot/cityhall.toml /etc/hiroba/cityhall.toml
mkdir -p /var/backups/hiroba
cd tests/boot/units
systemctl --quiet enable *.service
"""
PYTHON = f"/{SOURCE}/.venv/bin/python"
"""Of the tree, for what it does inside is not all laid on a box (the demo's browser)."""
INSIDE = "/srv/hiroba/tests/boot/inside"
FAR = "198.19.7.7"
"""The other end of the box's uplink, where a name server is; the web server stands behind it (198.19.9.9)."""


FIGURES = pytest.StashKey[dict[str, float]]()


@pytest.fixture
def figure(pytestconfig: pytest.Config) -> Callable[[str, float], None]:
    """Keep a measured number for the end of the run; nothing is asserted about it."""
    return pytestconfig.stash.setdefault(FIGURES, {}).__setitem__


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for name, value in config.stash.get(FIGURES, {}).items():
        terminalreporter.write_line(f"{name}: {value:.2f}")


def roomy() -> Path | None:
    """Memory, when there is plenty of it: a root is written and thrown away in a moment there. Else the usual place."""
    memory = Path("/dev/shm")  # noqa: S108 - a name of our own is made in it by mkdtemp
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30 else None


def make_box(suite: str, folder: Path) -> Container:
    """A box of ``suite`` that is installed and not yet started."""
    root = unpacked(suite, folder / "root")
    inside(root, "/bin/sh", "-c", LAY_OUT)
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/resolv.conf").write_text(f"nameserver {FAR}\n")
    return Container(root, folder / "console.log")


@pytest.fixture(scope="session")
def box(pytestconfig: pytest.Config) -> Iterator[Container]:
    """The booted Debian 12 box; each test leaves it as whole as it found it."""
    folder = Path(tempfile.mkdtemp(prefix="hiroba-boot-", dir=roomy()))
    made = make_box("bookworm", folder)
    try:
        made.start()
        seconds = made.until("hiroba.target", lambda: made.active("hiroba.target"))
        pytestconfig.stash.setdefault(FIGURES, {})["seconds from systemd's first word to hiroba.target"] = seconds
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


ASK = """set -e
mkdir -p /var/lib/hiroba/enrolment
hiroba cityhall ca --config /etc/hiroba/cityhall.toml --out /var/lib/hiroba/enrolment/city-ca.pem
printf TEST-correct-horse | hiroba cityhall staff --config /etc/hiroba/cityhall.toml --name TEST-staff --password-file -
hiroba cityhall code --config /etc/hiroba/cityhall.toml --box boot-1 > /run/enrol-code
hiroba enrol --code-file /run/enrol-code
"""
SOON = """mkdir -p /run/systemd/system/hiroba-heartbeat.timer.d
printf '[Timer]\\nOnUnitActiveSec=2s\\nOnActiveSec=1s\\nRandomizedDelaySec=0\\nAccuracySec=100ms\\n' \\
  > /run/systemd/system/hiroba-heartbeat.timer.d/soon.conf
systemctl daemon-reload
systemctl restart hiroba-heartbeat.timer
"""
"""The same timer in a hurry: every two seconds."""
AS_SHIPPED = """rm -r /run/systemd/system/hiroba-heartbeat.timer.d
systemctl daemon-reload
systemctl restart hiroba-heartbeat.timer
"""


@pytest.fixture(scope="session")
def enrolled(box: Container) -> Container:
    """The box as city hall knows it: it asked with a code as its first start does, staff approved on the page, and the
    heartbeat's timer, which had gone on before there was anything to tell, fetched the answer.
    """
    box.run("sh", "-c", SOON)
    skipped = ("hiroba-heartbeat.service", "ConditionTimestampMonotonic")
    box.until("it was due once", lambda: box.show(*skipped)[skipped[1]] not in ("", "0"))
    box.run("systemctl", "enable", "--quiet", "--now", *CITY_HALL)  # an installation for a box takes it away
    box.run("sh", "-c", ASK)
    box.run(PYTHON, f"{INSIDE}/hall.py", "approve", "boot-1")
    box.until("the timer has fetched it", (box.root / "var/lib/hiroba/enrolment/box.pem").exists)
    box.run("sh", "-c", AS_SHIPPED)
    box.until("it is at rest", lambda: box.show("hiroba-heartbeat.service", "ActiveState")["ActiveState"] == "inactive")
    return box


@pytest.fixture(scope="session")
def units() -> list[str]:
    """What the site file wants started."""
    return wanted(read_site(SITE), screen=False)
