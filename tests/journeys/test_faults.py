"""What goes wrong is told in one clear sentence, and the kiosk recovers by itself when the cause goes away."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from device.audit import Audit
from device.clock import SystemClock
from device.printer import virtual_faults
from device.printer.status import Condition
from device.store import Store
from kiosk.schema import KIOSK_MIGRATIONS
from kiosk.services.certificates.issuance.journal import Journal
from kiosk.services.certificates.issuance.states import State
from provisioning.demo.plaza import Plaza
from provisioning.demo.processes import Child, free_port
from provisioning.demo.setup import Ports
from provisioning.virtual import VirtualFolder
from tests.journeys.conftest import NEEDS, need, run_hiroba
from tests.journeys.plaza_visitor import PlazaVisitor


@pytest.fixture(scope="module")
def plaza(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plaza]:
    need(*NEEDS)
    ports = Ports(free_port(), free_port(), free_port())
    with Plaza(tmp_path_factory.mktemp("faults"), ports, "virtual") as running:
        yield running


@pytest.fixture
def visitor(plaza: Plaza) -> Iterator[PlazaVisitor]:
    """Someone new, at a kiosk where nothing is in the way; afterwards card and faults are gone."""
    someone = PlazaVisitor(plaza)
    someone.go_home()
    yield someone
    someone.lift()
    page_printer(plaza, Condition.READY)
    someone.go_home()


def page_printer(plaza: Plaza, condition: Condition) -> None:
    virtual_faults.set_condition(VirtualFolder(plaza.folder).page, condition)


CAUSES: dict[str, tuple[Callable[[Plaza], None], Callable[[Plaza], None]]] = {
    "reader.service_down": (lambda p: p.card_service.stop(), lambda p: p.card_service.start()),
    "issuer.unreachable": (lambda p: p.child("issuer").stop(), lambda p: p.child("issuer").start()),
    "printer.paper_out": (
        lambda p: page_printer(p, Condition.PAPER_OUT),
        lambda p: page_printer(p, Condition.READY),
    ),
    "printer.jam": (lambda p: page_printer(p, Condition.JAM), lambda p: page_printer(p, Condition.READY)),
    "printer.unreachable": (lambda p: p.child("virtual-page").stop(), lambda p: p.child("virtual-page").start()),
}


@pytest.mark.parametrize("code", CAUSES)
def test_what_stands_in_the_way_is_told_on_the_first_screen_and_goes_by_itself(
    plaza: Plaza, visitor: PlazaVisitor, code: str
) -> None:
    break_it, mend_it = CAUSES[code]
    visitor.wait_ready()
    break_it(plaza)
    visitor.wait_mark(f'data-notice="{code}"')
    mend_it(plaza)
    visitor.wait_ready()


@pytest.mark.parametrize("code", ["issuer.unreachable", "printer.paper_out"])
def test_nobody_is_asked_for_a_pin_while_no_certificate_can_come(
    plaza: Plaza, visitor: PlazaVisitor, code: str
) -> None:
    visitor.go_to("place_card")
    CAUSES[code][0](plaza)
    visitor.lay("demo")
    visitor.wait_mark(f'data-trouble="{code}"')
    visitor.lift()
    CAUSES[code][1](plaza)
    visitor.wait_ready()


@pytest.mark.parametrize("name", ["juki", "other", "phone"])
def test_a_card_that_can_not_be_used_is_refused_politely(visitor: PlazaVisitor, name: str) -> None:
    visitor.go_to("place_card")
    visitor.lay(name)
    visitor.wait_mark('data-trouble="card.not_my_number"')
    visitor.lift()
    visitor.press("home")
    visitor.wait_ready()


@pytest.mark.parametrize(("name", "reason"), [("expired", "credential_expired"), ("unknown_ca", "credential_unknown")])
def test_a_credential_that_is_not_good_is_refused_after_the_pin(visitor: PlazaVisitor, name: str, reason: str) -> None:
    visitor.go_to("enter_pin", name=name)
    visitor.press("enter", pin="1234")
    visitor.wait_mark(f'data-trouble="refused.{reason}"')


def test_a_card_that_staff_ended_at_city_hall_is_refused_at_the_kiosk(plaza: Plaza, visitor: PlazaVisitor) -> None:
    card = VirtualFolder(plaza.folder).pki / "cards" / "older" / "auth.der"
    where = ["--config", str(plaza.folder / "site.toml"), "--state", str(plaza.folder)]
    told = run_hiroba("register", "revoke", str(card), "--by", "s-1001", "--reason", "紛失 1", *where)
    assert told.returncode == 0, told.stderr
    visitor.go_to("enter_pin", name="older")
    visitor.press("enter", pin="1234")
    visitor.wait_mark('data-trouble="refused.credential_expired"')


def test_a_wrong_pin_tells_the_tries_left_and_the_last_one_is_kept(visitor: PlazaVisitor) -> None:
    visitor.go_to("enter_pin", name="demo2")
    for left in (2, 1):
        assert f'data-tries="{left + 1}"' in visitor.page
        visitor.press("enter", pin="0000")
        visitor.wait_for(lambda left=left: f'data-tries="{left + 1}"' not in visitor.page, "fewer tries")  # type: ignore[misc]
    visitor.wait_mark('data-trouble="card.pin_blocked"')


def test_a_card_taken_too_early_ends_the_visit(visitor: PlazaVisitor) -> None:
    visitor.go_to("choose_certificate")
    visitor.lift()
    visitor.wait_mark('data-trouble="card.gone"')
    assert "辻" not in visitor.page


def test_paper_that_runs_out_while_printing_is_waited_for(plaza: Plaza, visitor: PlazaVisitor) -> None:
    visitor.go_to("pay")
    slow_pages(plaza, 1.0)
    visitor.press("pay")
    page_printer(plaza, Condition.PAPER_OUT)
    visitor.wait_screen("printing")
    page_printer(plaza, Condition.READY)
    visitor.wait_screen("take_items")
    slow_pages(plaza, 0.05)
    visitor.press("taken")


def slow_pages(plaza: Plaza, seconds: float) -> None:
    folder = VirtualFolder(plaza.folder).page
    state = virtual_faults.read_state(folder)
    virtual_faults.write_state(folder, msgspec.structs.replace(state, seconds_per_page=seconds))


def journal_of(state: Path) -> Journal:
    store, clock = Store(state / "kiosk" / "kiosk.db", KIOSK_MIGRATIONS), SystemClock()
    return Journal(store, Audit(store, clock), clock)


def kill(child: Child) -> None:
    """kill -9, master and workers alike."""
    assert child.process is not None
    os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait()


def test_a_kiosk_killed_while_printing_prints_nothing_twice_and_asks_staff(plaza: Plaza, visitor: PlazaVisitor) -> None:
    pages = VirtualFolder(plaza.folder).page
    drawn, sent = len(list(pages.glob("job-*-page-*.png"))), len(list(pages.glob("job-????.pdf")))
    slow_pages(plaza, 3.0)
    visitor.go_to("printing")
    visitor.wait_for(lambda: len(list(pages.glob("job-????.pdf"))) > sent, "a job at the printer")
    kill(plaza.child("kiosk"))
    plaza.child("kiosk").start()
    journal = journal_of(plaza.folder)
    visitor.wait_for(lambda: journal.all_rows(limit=1)[0].state is State.UNKNOWN, "an unknown end")
    visitor.wait_screen("closed")
    slow_pages(plaza, 0.05)
    row = journal.all_rows(limit=1)[0]
    assert len(list(pages.glob("job-*-page-*.png"))) - drawn <= 1
    told = run_hiroba("journal", "resolve", row.request, "delivered", "--state", str(plaza.folder))
    assert told.returncode == 0, told.stderr
    for action, typed in (("staff", {}), ("enter", {"code": "2468"}), ("clear-alarm", {})):
        visitor.wait_for(lambda action=action: action in visitor.controls, action)  # type: ignore[misc]
        visitor.press(action, **typed)
    visitor.lift()
    visitor.go_home()
    visitor.wait_ready()
