"""After a visit nothing of the person is in the memory of any kiosk process: names, address, PIN (threat model, "a
visitor at the screen"). The memory is read as root reads it, from /proc/PID/mem.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from kiosk.issuer.register.records import ResidentRecord
from kiosk.issuer.register.synthetic_people import population
from provisioning.demo.once import Visitor
from provisioning.demo.plain_browser import PlainBrowser
from provisioning.demo.plaza import Plaza
from provisioning.demo.processes import free_port
from provisioning.demo.setup import Ports
from provisioning.virtual import VirtualFolder
from tests.journeys.conftest import NEEDS, need
from tests.journeys.plaza_visitor import PlazaVisitor

pytestmark = pytest.mark.attacks
PIN_PLACES = [re.compile(rb"pin=1234"), re.compile(rb"\x00\x20\x00[\x80-\x9f]\x041234")]
"""The form's body, and the card command VERIFY."""


@pytest.fixture(scope="module")
def plaza(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plaza]:
    need(*NEEDS)
    ports = Ports(free_port(), free_port(), free_port(), free_port())
    with Plaza(tmp_path_factory.mktemp("memory"), ports, "virtual") as running:
        yield running


def processes(plaza: Plaza) -> list[psutil.Process]:
    """The kiosk's arbiter and its workers."""
    started = plaza.child("kiosk").process
    assert started is not None
    arbiter = psutil.Process(started.pid)
    return [arbiter, *arbiter.children(recursive=True)]


def memory(process: int) -> Iterator[bytes]:
    """What the process can read and write, mapping by mapping."""
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", buffering=0) as mem:  # noqa: PTH123
        for line in maps:
            span, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            start, end = (int(text, 16) for text in span.split("-"))
            with suppress(OSError, ValueError, OverflowError):
                mem.seek(start)
                yield mem.read(end - start)


def markers(people: list[ResidentRecord]) -> list[re.Pattern[bytes]]:
    address = next(h.address for h in population().households if h.household == people[0].household)
    words = {p.name for p in people} | {p.name.replace("　", " ") for p in people} | {address, people[0].domicile}
    shapes = [text.encode(code) for text in words for code in ("utf-8", "utf-16-le", "utf-32-le")]
    return [*PIN_PLACES, *(re.compile(re.escape(shape)) for shape in shapes)]


def found(plaza: Plaza, people: list[ResidentRecord]) -> dict[int, list[bytes]]:
    """Process -> markers in its memory."""
    hits: dict[int, list[bytes]] = {}
    for process in processes(plaza):
        with suppress(OSError):  # it ended while it was read
            pages = list(memory(process.pid))
            hits[process.pid] = [m.pattern for m in markers(people) if any(m.search(page) for page in pages)]
    return hits


def test_after_a_whole_visit_no_process_of_the_kiosk_holds_a_name_an_address_or_the_pin(
    plaza: Plaza, demo_resident: list[ResidentRecord]
) -> None:
    before = {process.pid for process in processes(plaza)}
    Visitor(PlainBrowser(plaza.address), VirtualFolder(plaza.folder), plaza.logs, "ja").run()
    during = found(plaza, demo_resident)
    assert len([hit for hits in during.values() for hit in hits]) >= 2, during  # else the search finds nothing ever
    visitor = PlazaVisitor(plaza)
    visitor.go_home()
    served = next(pid for pid, hits in during.items() if hits)
    visitor.wait_for(lambda: served not in {p.pid for p in processes(plaza)}, "the worker's end")
    visitor.wait_for(lambda: len(processes(plaza)) == len(before), "the next one in waiting")
    assert [hits for hits in found(plaza, demo_resident).values() if hits] == []


def test_the_first_touch_after_a_visit_counts_though_another_process_answers_it(plaza: Plaza) -> None:
    visitor = PlazaVisitor(plaza)
    visitor.lift()
    visitor.go_home()
    visitor.go_to("choose_certificate")
    served = {process.pid for process in processes(plaza)}
    visitor.press("home")
    visitor.lift()
    assert visitor.screen == "home"
    visitor.wait_for(lambda: not served <= {p.pid for p in processes(plaza)}, "a worker's end")
    shown_before = PlazaVisitor(plaza)
    shown_before.page, shown_before.controls, shown_before.screen = visitor.page, visitor.controls, "home"
    shown_before.press("start")
    assert shown_before.screen == "services"


def test_no_request_is_lost_while_one_process_takes_over_from_another(plaza: Plaza) -> None:
    """Asked without a pause from the moment the visitor leaves, every request is answered by one or the other."""
    visitor = PlazaVisitor(plaza)
    visitor.go_home()
    visitor.lift()
    visitor.go_to("enter_pin")
    served, stop = {process.pid for process in processes(plaza)}, threading.Event()
    took, lost = [0.0], list[str]()

    def ask() -> None:
        asking = PlainBrowser(plaza.address)
        while not stop.is_set():
            began = time.monotonic()
            try:
                asking.open("/")
            except OSError as error:
                lost.append(repr(error))
            took[0] = max(took[0], time.monotonic() - began)

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    visitor.press("home")
    visitor.lift()
    while served <= {p.pid for p in processes(plaza)}:
        time.sleep(0.05)
    stop.set()
    for asker in askers:
        asker.join()
    print(f"longest answer {took[0] * 1000:.0f} ms")  # noqa: T201  # told with -s, never judged
    assert lost == []
