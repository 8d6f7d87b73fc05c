"""What every test may ask for: the ``needs`` marker, and an audit that keeps what it was told.

Property tests are no race against the clock, and in the ordinary run they try the same examples each time, so that a
commit is green or is not; the long run looks for new ones.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from device.card.pcscd import SOCKET_VARIABLE, PcscService

PROGRAMS = {
    "cloud-init": "cloud-init",
    "pcscd": "/usr/sbin/pcscd",
    "vpcd": "/usr/lib/pcsc/drivers/serial/libifdvpcd.so",
    "chromium": "chromium",
    "nft": "nft",
    "nginx": "nginx",
    "dnsmasq": "dnsmasq",
    "iodine": "iodine",
    "hostapd": "hostapd",
    "opensc": "pkcs11-tool",
    "openssl": "openssl",
    "wrk": "wrk",
    "xvfb": "xvfb-run",
    "xdotool": "xdotool",
    "poppler": "pdftotext",
    "ipptool": "ipptool",
    "conntrack": "conntrack",
    "dhclient": "dhclient",
    "apt": "apt-get",
    "curl": "curl",
    "ip": "ip",
    "age": "age",
    "cryptsetup": "cryptsetup",
    "qemu": "qemu-system-x86_64",
    "swtpm": "swtpm",
    "busybox": "busybox",
    "sqlite3": "sqlite3",
    "ssh-keygen": "ssh-keygen",
    "postgresql": "pg_createcluster",
    "mmdebstrap": "mmdebstrap",
    "systemd": "systemd-analyze",
    "systemd-nspawn": "systemd-nspawn",
}
FONTS = {
    "ipamj": "/usr/share/fonts/truetype/ipamj",
    "bizud": "/usr/share/fonts/truetype/bizud-gothic",
    "noto": "/usr/share/fonts/opentype/noto",
}


def missing(name: str) -> str | None:
    """Why ``name`` is not to be had here, or None when it is."""
    if name == "root":
        return None if os.geteuid() == 0 else "must run as root"
    if name in FONTS:
        return None if Path(FONTS[name]).exists() else f"font package for {name} is not installed"
    program = PROGRAMS[name]
    found = Path(program).exists() if program.startswith("/") else shutil.which(program, path=_path())
    if not found:
        return f"{name} is not installed"
    return _no_namespaces() if name in ("nft", "ip") and os.geteuid() == 0 else None


@lru_cache
def _no_namespaces() -> str | None:
    """Why no network namespace can be made and filled with rules, as in a container without the rights."""
    tried = ["unshare", "--net", "sh", "-c", "nft list tables && ip link set lo up"]
    environment = {**os.environ, "PATH": _path()}
    made = subprocess.run(tried, check=False, capture_output=True, env=environment).returncode == 0
    return None if made else "no network namespace can be made (CAP_SYS_ADMIN and CAP_NET_ADMIN)"


def _path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the long campaigns too")


settings.register_profile("ordinary", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", deadline=None, suppress_health_check=[HealthCheck.too_slow])
ATTACKS = Path(__file__).parent / "attacks"
PCSC_FOLDER = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("long" if config.getoption("--long") else "ordinary")
    # libpcsclite reads the variable once a process, at its first use: so this run's own pcscd is named before any test,
    # and no test ever talks to the machine's.
    config.stash[PCSC_FOLDER] = Path(tempfile.mkdtemp(prefix="hiroba-pcsc-"))
    os.environ[SOCKET_VARIABLE] = str(PcscService(config.stash[PCSC_FOLDER]).socket)


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[PCSC_FOLDER], ignore_errors=True)


@pytest.fixture(scope="session")
def pcsc_service(pytestconfig: pytest.Config) -> Iterator[PcscService]:
    """This run's pcscd with vpcd, started. Tests that use it need("root", "pcscd", "vpcd")."""
    with PcscService(pytestconfig.stash[PCSC_FOLDER]) as service:
        yield service


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if ATTACKS in item.path.parents:
            item.add_marker("attacks")
    chosen = [i for i in items if config.getoption("--long") or not i.get_closest_marker("long")]
    config.hook.pytest_deselected(items=[i for i in items if i not in chosen])
    items[:] = chosen


def pytest_runtest_setup(item: pytest.Item) -> None:
    wanted = [str(n) for mark in item.iter_markers("needs") for n in mark.args]
    reasons = [reason for name in wanted if (reason := missing(name))]
    if not reasons:
        return
    if os.environ.get("HIROBA_REQUIRE") == "all":
        pytest.fail("needed here: " + "; ".join(reasons), pytrace=False)
    pytest.skip("; ".join(reasons))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What this machine lacks, in one line, and for how many tests."""
    skipped = terminalreporter.stats.get("skipped", [])
    told = [
        str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped if isinstance(report.longrepr, tuple)
    ]
    reasons = sorted({reason for text in told for reason in text.split("; ")})
    if reasons:
        terminalreporter.write_line(f"{len(skipped)} tests were skipped, because here: {'; '.join(reasons)}")


class KeptAudit:
    """An audit sink that keeps what it was told, for tests that read it."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, object]]] = []

    def record(self, event: str, **facts: object) -> None:
        """See AuditSink."""
        self.lines.append((event, facts))


@pytest.fixture
def audit() -> KeptAudit:
    """An empty KeptAudit."""
    return KeptAudit()
