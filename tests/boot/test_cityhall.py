"""City hall's service as a unit, and a box's road to it: enrolled by timer, heard, renewed."""

from __future__ import annotations

import json

import pytest

from tests.boot.conftest import INSIDE, PYTHON
from tests.boot.container import Container

pytestmark = [pytest.mark.needs("root", "mmdebstrap", "systemd-nspawn"), pytest.mark.timeout(900)]

SERIAL = "openssl x509 -in /var/lib/hiroba/enrolment/box.pem -noout -serial"


def hall(box: Container, what: str) -> str:
    return box.run(PYTHON, f"{INSIDE}/hall.py", what, "boot-1")


def waiting(box: Container) -> int:
    """Messages that city hall has not acknowledged, after one more heartbeat."""
    told: dict[str, int] = json.loads(box.run("hiroba", "heartbeat", "--json"))
    return told["waiting"]


def test_an_approval_is_fetched_by_the_timer_without_anybody_at_the_box(enrolled: Container) -> None:
    told = json.loads(enrolled.run("hiroba", "enrol", "status", "--json"))
    assert (told["box"], told["enrolled"], told["pending"]) == ("boot-1", True, False)


def test_the_heartbeat_s_unit_reaches_city_hall(enrolled: Container) -> None:
    enrolled.run("systemctl", "start", "hiroba-backup.service", "hiroba-heartbeat.service")
    enrolled.run("systemctl", "start", "hiroba-heartbeat.service")
    # Not "well": the doctor says of this box that it is lone, its register readable, and revocation asked of nobody.
    assert 'data-state="attention"' in hall(enrolled, "state")
    assert waiting(enrolled) == 0


def test_a_credential_is_renewed_in_its_unit(enrolled: Container) -> None:
    before = enrolled.run("sh", "-c", SERIAL)
    enrolled.run("systemctl", "start", "hiroba-enrol-renew.service")
    assert enrolled.run("sh", "-c", SERIAL) == before
    enrolled.run("hiroba", "enrol", "renew", "--force")
    assert enrolled.run("sh", "-c", SERIAL) != before


READS = "test -r /var/lib/hiroba/enrolment/box-key.pem && echo yes || echo no"


@pytest.mark.attacks
def test_the_box_s_key_is_read_by_those_alone_that_show_it(enrolled: Container) -> None:
    """The kiosk shows it to an issuer elsewhere; an issuer to a city hall elsewhere. Each with its unit's groups."""
    said = {}
    for name in ("kiosk", "issuer", "portal", "stats", "gate", "nginx@box"):
        unit = enrolled.show(f"hiroba-{name}.service", "User", "Group", "SupplementaryGroups")
        groups = ",".join(dict.fromkeys([unit["Group"], *unit["SupplementaryGroups"].split()]))
        who = [f"--reuid={unit['User']}", f"--regid={unit['Group']}", f"--groups={groups}"]
        said[name] = enrolled.run("setpriv", *who, "sh", "-c", READS).strip()
    assert {name for name, answer in said.items() if answer == "yes"} == {"kiosk", "issuer"}
    assert set(said.values()) == {"yes", "no"}


def test_heartbeats_wait_while_city_hall_is_down_and_all_arrive_when_it_is_back(enrolled: Container) -> None:
    enrolled.run("systemctl", "stop", "hiroba-cityhall.service")
    assert waiting(enrolled) >= 1
    enrolled.run("systemctl", "start", "hiroba-heartbeat.service")  # no failed unit for a line that is down
    enrolled.run("systemctl", "start", "hiroba-cityhall.service")
    assert waiting(enrolled) == 0


@pytest.mark.parametrize("unit", ["backup", "heartbeat", "enrol-renew", "cityhall-tidy", "browser-fresh", "disaster"])
def test_what_a_timer_starts_ends_well_in_its_own_sandbox(enrolled: Container, unit: str) -> None:
    enrolled.run("systemctl", "start", f"hiroba-{unit}.service")
    told = enrolled.show(f"hiroba-{unit}.service", "Result", "ExecMainStatus")
    assert told == {"Result": "success", "ExecMainStatus": "0"}
