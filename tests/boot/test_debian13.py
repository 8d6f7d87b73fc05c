"""The same on Debian 13, in the long run of the tests: installed, booted, a certificate, a phone, a kill."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boot.conftest import make_box, roomy
from tests.boot.container import Container
from tests.boot.test_boot import join, phone, visit

pytestmark = [
    pytest.mark.needs("root", "mmdebstrap", "systemd-nspawn"),
    pytest.mark.long,
    pytest.mark.timeout(1800),
]


@pytest.fixture(scope="module")
def box13() -> Iterator[Container]:
    folder = Path(tempfile.mkdtemp(prefix="hiroba-boot13-", dir=roomy()))
    made = make_box("trixie", folder)
    try:
        made.start()
        made.until("hiroba.target", lambda: made.active("hiroba.target"))
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_debian_13_prints_lets_a_phone_in_and_heals(box13: Container, units: list[str]) -> None:
    assert [unit for unit in units if not box13.active(unit)] == []
    assert visit(box13)["state"] == "delivered"
    join(box13)
    assert phone(box13, "login") == "online"
    before = box13.show("hiroba-kiosk.service", "MainPID")["MainPID"]
    box13.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "hiroba-kiosk.service")
    box13.until("a new kiosk", lambda: box13.show("hiroba-kiosk.service", "MainPID")["MainPID"] not in ("0", before))
    box13.until("it answers", lambda: box13.active("hiroba-kiosk.service"))
    assert visit(box13)["state"] == "delivered"
