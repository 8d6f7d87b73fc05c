"""Many links in a file: all mistakes at once, and what would change."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.issuer.register.errors import RegisterRefused
from kiosk.issuer.register.link_checks import LinkCandidate
from kiosk.issuer.register.link_file import LinkPlan, plan

END = datetime(2030, 1, 1, tzinfo=UTC)


def read(name: str) -> LinkCandidate:
    """ "7.der" is the credential of serial 7; another name is no file."""
    stem, _, rest = name.partition(".")
    if rest != "der" or not stem.isdigit():
        raise RegisterRefused("file_credential_missing")
    return LinkCandidate("aa", int(stem), END)


def change(found: LinkCandidate, resident: str) -> str:
    if not resident.startswith("R"):
        raise RegisterRefused("no_resident", resident=resident)
    return "replaces" if found.serial == 2 else "new"


def planned(text: str | bytes) -> LinkPlan:
    return plan(text.encode() if isinstance(text, str) else text, read, change)


def test_what_is_right_is_planned_in_its_order() -> None:
    found = planned("resident,credential\nR1,1.der\n\nR2,2.der\n")
    assert [(one.line, one.resident, one.found.serial, one.change) for one in found.links] == [
        (2, "R1", 1, "new"),
        (4, "R2", 2, "replaces"),
    ]
    assert found.mistakes == []


def test_all_mistakes_are_told_with_their_lines() -> None:
    found = planned("resident,credential\nR1,1.der\nR1,2.der\nR2,1.der\nX3,3.der\nR4,none\nR5\nR6,6.der,\n")
    assert [(line, refused.code) for line, refused in found.mistakes] == [
        (3, "register.file_resident_twice"),
        (4, "register.file_credential_twice"),
        (5, "register.no_resident"),
        (6, "register.file_credential_missing"),
        (7, "register.file_credential_missing"),
        (8, "register.file_credential_missing"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_what_a_spreadsheet_writes_is_read(encoding: str) -> None:
    found = planned("resident,credential\r\nR市1,1.der\r\n".encode(encoding))
    assert [one.resident for one in found.links] == ["R市1"]


@pytest.mark.parametrize("content", ["", "resident\nR1\n", "credential,resident\n1.der,R1\n", b"\xff\xfe\x00\x81"])
def test_another_heading_is_told_and_plans_nothing(content: str | bytes) -> None:
    found = planned(content)
    assert [refused.code for _, refused in found.mistakes] == ["register.file_form"]


@given(st.binary(max_size=300))
def test_whatever_is_in_the_file_is_a_plan(content: bytes) -> None:
    found = planned(b"resident,credential\n" + content)
    assert len({one.found.serial for one in found.links}) == len(found.links)
