"""A Debian 12 box, booted with real systemd: it serves, prints, lets phones in, and gets up again when it is hit."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.boot.conftest import INSIDE, PYTHON
from tests.boot.container import Container

pytestmark = [pytest.mark.needs("root", "mmdebstrap", "systemd-nspawn"), pytest.mark.timeout(900)]

WEB = ("kiosk", "issuer", "portal", "stats")
Figure = Callable[[str, float], None]


def visit(box: Container) -> dict[str, object]:
    """One resident's whole visit; the newest row of the journal."""
    screens = json.loads(box.run(PYTHON, f"{INSIDE}/visit.py"))
    assert screens[-1] == "done"
    rows: list[dict[str, object]] = json.loads(box.run("hiroba", "journal", "list", "--json"))
    return rows[0]


def phone(box: Container, what: str) -> str:
    return box.run("ip", "netns", "exec", "phone", PYTHON, f"{INSIDE}/phone.py", what).strip()


def join(box: Container) -> None:
    """The phone asks for an address by DHCP and takes it, until it knows its way out."""
    box.run("ip", "netns", "exec", "phone", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-s", f"{INSIDE}/lease.sh")


def test_every_unit_the_site_wants_is_up_and_none_has_failed(box: Container, units: list[str]) -> None:
    assert [unit for unit in units if not box.active(unit)] == []
    assert box.run("systemctl", "--failed", "--plain", "--no-legend").strip() == ""
    assert {box.show(unit, "NRestarts").get("NRestarts", "0") for unit in units} == {"0"}


def test_the_first_screen_waits_for_no_network(box: Container, figure: Figure) -> None:
    times = {u: int(box.show(u, "ActiveEnterTimestampMonotonic")["ActiveEnterTimestampMonotonic"]) for u in ORDER}
    begun = int(box.show("hiroba-kiosk.service", "InactiveExitTimestampMonotonic")["InactiveExitTimestampMonotonic"])
    figure("seconds from the kiosk's start to its first answer", (times["hiroba-kiosk.service"] - begun) / 1e6)
    assert not box.active("network-online.target")
    assert 0 < times["hiroba-kiosk.service"] <= times["hiroba.target"]
    assert 'data-screen="home"' in box.run(PYTHON, "-c", FETCH)


ORDER = ("hiroba-kiosk.service", "hiroba.target")
FETCH = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8100/').read().decode())"


def test_a_certificate_comes_out_of_the_printer(box: Container) -> None:
    row = visit(box)
    assert (row["state"], row["paid_yen"], row["refund_due"]) == ("delivered", 300, False)
    assert list((box.root / "var/lib/hiroba/virtual/page").glob("job-*.pdf"))
    assert list((box.root / "var/lib/hiroba/virtual/receipt").glob("receipt-*.png"))


def test_a_phone_gets_an_address_the_portal_and_then_the_internet(box: Container) -> None:
    join(box)
    assert phone(box, "probe").startswith("portal http://10.91.0.1:8180/")
    assert phone(box, "login") == "online"


@pytest.mark.parametrize("name", [*WEB, "nginx@box", "gate", "dnsmasq@hall"])
def test_a_killed_process_is_back_and_a_phone_stays_online(box: Container, name: str, figure: Figure) -> None:
    unit = f"hiroba-{name}.service"
    before = box.show(unit, "MainPID")["MainPID"]
    box.run("systemctl", "kill", "--kill-who=main", "--signal=KILL", unit)
    seconds = box.until(unit, lambda: box.show(unit, "MainPID")["MainPID"] not in ("0", before) and box.active(unit))
    figure(f"seconds until {name} was back after SIGKILL", seconds)
    assert phone(box, "probe") == "online"


@pytest.mark.parametrize("name", ["issuer", "nginx@box"])
def test_a_frozen_worker_is_noticed_by_the_watchdog(box: Container, name: str) -> None:
    unit = f"hiroba-{name}.service"
    folder = f"/run/systemd/system/{unit}.d"
    quick = (
        f"mkdir -p {folder} && printf '[Service]\\nWatchdogSec=2\\n' > {folder}/quick.conf && systemctl daemon-reload"
    )
    box.run("/bin/sh", "-c", quick)
    box.run("systemctl", "restart", unit)
    before = box.show(unit, "MainPID")["MainPID"]
    frozen = ["--full", "worker process"] if name.startswith("nginx") else []  # its companion goes on, and is not told
    box.run("pkill", "--signal", "STOP", "--parent", before, *frozen)
    box.until("a new process", lambda: box.show(unit, "MainPID")["MainPID"] not in ("0", before))
    box.until("it answers", lambda: box.active(unit))
    assert "watchdog" in box.run("journalctl", "-u", unit, "-o", "cat").lower()
    box.run("/bin/sh", "-c", f"rm -r {folder} && systemctl daemon-reload && systemctl restart {unit}")


def test_a_portal_that_is_away_is_a_page_and_nginx_lists_nothing_of_its_folder(box: Container) -> None:
    box.run("systemctl", "stop", "hiroba-portal.service")
    page = box.run(PYTHON, "-c", BUSY)
    box.run("systemctl", "start", "hiroba-portal.service")
    assert "混み合っています" in page
    allowed = box.run(
        "setpriv", "--reuid=hiroba-nginx", f"--groups={GROUPS}", "ls", "/var/lib/hiroba/portal", check=False
    )
    assert allowed == ""


GROUPS = "hiroba,hiroba-portal,hiroba-issuer,hiroba-cityhall"
BUSY = """
import urllib.error, urllib.request
try: urllib.request.urlopen('http://127.0.0.1:8180/')
except urllib.error.HTTPError as error: print(error.code, error.read().decode())
"""


def test_each_process_has_a_user_of_its_own_that_reads_nothing_of_the_others(box: Container) -> None:
    users = {name: box.show(f"hiroba-{name}.service", "User")["User"] for name in (*WEB, "gate", "nginx@box")}
    assert len(set(users.values())) == len(users)
    for name, user in users.items():
        for other in sorted({*users} - {name}):
            peek = f"cat /var/lib/hiroba/{other}/* 2>/dev/null | head -c 1 | wc -c"
            assert box.run("setpriv", f"--reuid={user}", "--clear-groups", "/bin/sh", "-c", peek).strip() == "0"


OPENS = """
import socket, sys
with socket.socket(socket.AF_UNIX) as door:
    try: door.connect('/var/lib/hiroba/issuer-local/web.sock')
    except PermissionError: print('refused')
    else: print('open')
"""


@pytest.mark.attacks
def test_nobody_but_the_kiosk_opens_the_issuer_s_socket(box: Container) -> None:
    """Each process with the user and the groups of its unit."""
    said = {}
    for name in (*WEB, "gate", "nginx@box"):
        unit = box.show(f"hiroba-{name}.service", "User", "Group", "SupplementaryGroups")
        groups = ",".join(dict.fromkeys([unit["Group"], *unit["SupplementaryGroups"].split()]))
        who = [f"--reuid={unit['User']}", f"--regid={unit['Group']}", f"--groups={groups}"]
        said[name] = box.run("setpriv", *who, PYTHON, "-c", OPENS).strip()
    assert {name for name, answer in said.items() if answer == "open"} == {"kiosk", "issuer"}
    assert set(said.values()) == {"open", "refused"}


def test_stopping_leaves_the_gate_shut_and_starting_brings_all_back(box: Container, units: list[str]) -> None:
    box.run("systemctl", "stop", "hiroba.target")
    box.until("all have stopped", lambda: not any(box.active(unit) for unit in units))
    assert "hiroba" in box.run("nft", "list", "tables")
    box.run("systemctl", "start", "hiroba.target")
    box.until("all units", lambda: all(box.active(unit) for unit in units))
    assert phone(box, "probe") == "online"
    assert visit(box)["state"] == "delivered"


def test_installing_again_goes_to_the_other_slot_and_serves_on(box: Container, units: list[str]) -> None:
    before = box.run("readlink", "/opt/hiroba/current").strip()
    box.run("/bin/sh", "-c", "cd /srv/hiroba && ./hiroba install --without-screen")
    assert {before, box.run("readlink", "/opt/hiroba/current").strip()} == {"slots/a", "slots/b"}
    box.until("all units", lambda: all(box.active(unit) for unit in units))
    assert visit(box)["state"] == "delivered"


def test_systemd_finds_no_fault_in_the_units_as_installed(box: Container) -> None:
    listed = "ls /usr/local/lib/systemd/system/hiroba*.[stp]* | grep -v browser"  # the browser is not on this box
    told = box.run("/bin/sh", "-c", f"systemd-analyze verify --man=no $({listed}) 2>&1", check=False)
    assert [line for line in told.splitlines() if "hiroba" in line] == []
