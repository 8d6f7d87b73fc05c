"""The kiosk of a box, on its real drivers, with nothing plugged in."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from device.card.settings import CardSettings
from device.clock import SystemClock
from device.logs import open_log
from device.printer.settings import PagePrinterSettings, ReceiptPrinterSettings
from kiosk.issuer.errors import LinkInsecure
from kiosk.settings import CitySettings, IssuerLinkSettings, KioskSettings, Place
from kiosk.wiring import Kiosk, build

NOWHERE = "127.0.0.1:1"


def built(state: Path, terminal: Literal["counter", "virtual"] = "virtual", url: str = "") -> Kiosk:
    """A kiosk whose every port leads nowhere, and without a staff code."""
    return build(
        kiosk=KioskSettings(opens="00:00", closes="00:00", terminal=terminal),
        city=CitySettings(name_ja="見本市", name_en="Mihon City", telephone="06-0000-0000"),
        link=IssuerLinkSettings(url=url, timeout_seconds=0.5),
        credential=None,
        card=CardSettings(reader="a reader nobody has"),
        receipt=ReceiptPrinterSettings(port=1, timeout_seconds=0.5),
        page=PagePrinterSettings(uri=f"ipp://{NOWHERE}/ipp/print", timeout_seconds=0.5),
        box_name="plaza-test",
        place=Place(),
        state=state,
        clock=SystemClock(),
        log=open_log("test", (state / "log.jsonl").open("w")),
    )


@pytest.mark.parametrize("url", ["http://192.0.2.5:8101", "http://issuer.example.jp", "https://issuer.example.jp"])
def test_a_kiosk_does_not_start_on_a_link_that_anybody_could_answer(tmp_path: Path, url: str) -> None:
    """Plain HTTP off loopback, and HTTPS without a credential of its own."""
    with pytest.raises(LinkInsecure):
        built(tmp_path, url=url)


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it holds within a minute."""
    until = time.monotonic() + 60
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_a_box_with_nothing_plugged_in_shows_its_first_screen_and_says_what_is_missing(tmp_path: Path) -> None:
    kiosk = built(tmp_path)
    kiosk.start()
    try:
        page = kiosk.app.test_client()
        assert eventually(lambda: 'data-notice="reader.' in page.get("/", follow_redirects=True).get_data(as_text=True))
    finally:
        kiosk.stop()


def test_a_kiosk_at_the_counter_without_a_staff_code_says_so_before_anyone_is_asked_for_a_card(tmp_path: Path) -> None:
    kiosk = built(tmp_path, "counter")
    kiosk.start()
    try:
        page = kiosk.app.test_client()
        wanted = 'data-notice="kiosk.no_staff_code"'
        assert eventually(lambda: wanted in page.get("/", follow_redirects=True).get_data(as_text=True))
    finally:
        kiosk.stop()


def test_nothing_runs_before_start(tmp_path: Path) -> None:
    kiosk = built(tmp_path)
    assert not kiosk.watcher.alive
    assert kiosk.audit.lines() == []
    kiosk.stop()


def test_stop_ends_every_thread_in_time(tmp_path: Path) -> None:
    kiosk = built(tmp_path)
    kiosk.start()
    kiosk.stop()
    assert not kiosk.watcher.alive
