"""When the process that served a visit may end, and what it hands over: nothing about a person."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.shell.replacement import Replacement
from tests.kiosk.conftest import Stage, Visitor


class Kept:
    """Takes what is handed over."""

    def __init__(self) -> None:
        self.left: list[bytes] = []

    def __call__(self, leave: Callable[[], bytes | None]) -> bool:
        left = leave()
        self.left += [] if left is None else [left]
        return left is not None


def replacement(visitor: Visitor, kept: Kept, *, idle: bool = True) -> Replacement:
    shell = visitor.simulator.kiosk.shell
    return Replacement(shell.desk, shell.readiness, lambda: idle, threading.Event(), kept)


@pytest.fixture
def kept() -> Kept:
    """Nothing handed over yet."""
    return Kept()


def test_after_a_visit_with_a_card_the_process_hands_over_once_the_first_screen_shows(
    visitor: Visitor, kept: Kept
) -> None:
    looking = replacement(visitor, kept)
    visitor.to_choice()
    looking.tick()
    assert kept.left == []
    visitor.touch("home")
    looking.tick()
    looking.tick()
    assert len(kept.left) == 1


def test_what_is_handed_over_is_the_step_token_the_revision_and_the_state_of_the_hardware(
    visitor: Visitor, kept: Kept
) -> None:
    visitor.to_choice()
    visitor.touch("home")
    replacement(visitor, kept).tick()
    desk = visitor.simulator.kiosk.shell.desk
    assert json.loads(kept.left[0]) == {"token": desk.visit.token, "revision": desk.revision, "told": {}}


def test_a_visit_to_the_plaza_s_pages_alone_ends_no_process(visitor: Visitor, kept: Kept) -> None:
    visitor.touch("start")
    visitor.touch("plaza")
    visitor.touch("home")
    replacement(visitor, kept).tick()
    assert kept.left == []


def test_a_staff_code_that_was_typed_ends_the_process_as_well(stage: Stage, staff_hash: str, kept: Kept) -> None:
    visitor = stage(staff_code_hash=staff_hash)
    visitor.touch("staff")
    visitor.touch("enter", code="1111")
    visitor.touch("home")
    replacement(visitor, kept).tick()
    assert len(kept.left) == 1


def test_while_something_of_the_visit_is_still_being_done_the_process_goes_on(visitor: Visitor, kept: Kept) -> None:
    visitor.to_choice()
    visitor.touch("home")
    replacement(visitor, kept, idle=False).tick()
    assert kept.left == []


def test_a_page_of_the_former_process_still_counts_in_the_next(stage: Stage, kept: Kept, tmp_path: Path) -> None:
    visitor = stage()
    visitor.to_choice()
    page = visitor.touch("home")
    replacement(visitor, kept).tick()
    following = stage()
    assert replacement(following, kept).resume(kept.left[0])
    following.pages.append(page)
    assert following.touch("start").screen == "services"


@pytest.mark.parametrize("left", [b"", b"{}", b"[1]", b"\xff"])
def test_what_is_no_handing_over_begins_afresh(visitor: Visitor, kept: Kept, left: bytes) -> None:
    assert not replacement(visitor, kept).resume(left)
