"""The counter: staff link the card that lies on the reader, by the command line, through pcscd."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from device.card.credential import identity
from device.card.drivers import open_reader
from device.card.pcscd import SOCKET_VARIABLE, PcscService
from device.card.presence import Presence
from device.card.settings import CardSettings
from device.card.virtual import process
from device.card.virtual.pki import TestPki
from tests.attacks.city_register import CityRegister

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.needs("root", "pcscd", "vpcd")


@pytest.fixture
def city(tmp_path: Path) -> CityRegister:
    pki = TestPki(tmp_path / "pki")
    pki.ensure(["demo"])
    return CityRegister.make(tmp_path, pki)


@pytest.fixture
def card_on_reader(pcsc_service: PcscService, tmp_path: Path) -> Iterator[Callable[[TestPki, str], None]]:
    """Puts a card down, held there by the process a demo would run."""
    state = tmp_path / "card.json"
    running: list[subprocess.Popen[bytes]] = []

    def put(pki: TestPki, name: str) -> None:
        process.insert(state, name)
        module = [sys.executable, "-m", "device.card.virtual.process"]
        where = ["--state", str(state), "--cards", str(pki.cards), "--port", str(pcsc_service.port)]
        running.append(subprocess.Popen([*module, *where], cwd=ROOT))
        reader, until = open_reader(CardSettings()), time.monotonic() + 20
        while reader.presence() is not Presence.PRESENT:
            assert time.monotonic() < until, "the card is not seen"
            time.sleep(0.1)
        reader.close()

    yield put
    for one in running:
        one.terminate()
        one.wait(10)


def link_card(city: CityRegister, service: PcscService, resident: str) -> subprocess.CompletedProcess[str]:
    """As a member of staff types it: a process of its own, its reader the one of this run's pcscd."""
    who = ["--by", "s-1001", "--reason", "窓口 7", "--code-file", str(city.folder / "s-1001.code")]
    where = ["--config", str(city.folder / "site.toml"), "--state", str(city.folder)]
    return subprocess.run(
        [sys.executable, "-m", "provisioning", "register", "link-card", resident, *who, *where],
        check=False, capture_output=True, text=True, timeout=60,
        env={**os.environ, SOCKET_VARIABLE: str(service.socket)},
    )  # fmt: skip


def test_the_card_on_the_reader_is_linked_without_a_pin(
    city: CityRegister, pcsc_service: PcscService, card_on_reader: Callable[[TestPki, str], None]
) -> None:
    told = link_card(city, pcsc_service, "R00001")
    assert told.returncode == 1, "no card yet"
    assert "カードがありません" in told.stderr
    card_on_reader(city.pki, "demo")
    told = link_card(city, pcsc_service, "R00001")
    assert told.returncode == 0, told.stderr
    assert city.register().resolve(*identity(city.pki.credential("demo"))) == "R00001"
    told = link_card(city, pcsc_service, "R00002")
    assert told.returncode == 1
    assert "R00001" in told.stderr
