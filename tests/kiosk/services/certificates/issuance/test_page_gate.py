"""N1: no page of anybody else passes. The incidents are those of docs/sources.md#card-incidents."""

from __future__ import annotations

import hashlib
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.strict_pdf.page_rules import PLAIN_PAPERS
from kiosk.issuer.memory import write_pdf
from kiosk.issuer.protocol import Document, page_mark
from kiosk.services.certificates.issuance import page_gate
from kiosk.services.certificates.issuance.page_gate import Matches, Mismatch, compare

REQUEST, OTHER_REQUEST = str(uuid4()), str(uuid4())
MINE, THEIRS = "resident-a", "resident-b"


def check(document: Document, request: str, binding: str, pages: int) -> Matches | Mismatch:
    """With the memory issuer's papers; tests/attacks has the city's."""
    return page_gate.check(document, request, binding, pages, PLAIN_PAPERS)


def marks(request: str = REQUEST, binding: str = MINE, total: int = 3) -> list[str]:
    return [page_mark(request, binding, n, total) for n in range(1, total + 1)]


def document(texts: list[str]) -> Document:
    pdf = write_pdf(texts)
    return Document(pdf=pdf, sha256=hashlib.sha256(pdf).hexdigest(), pages=len(texts))


def test_the_visits_own_pages_pass() -> None:
    assert check(document(marks()), REQUEST, MINE, 3) == Matches(3)


def test_tokushima_2023_page_two_of_three_is_another_persons() -> None:
    pages = marks()
    pages[1] = marks(binding=THEIRS)[1]
    assert check(document(pages), REQUEST, MINE, 3) == Mismatch(2)


def test_yokohama_2023_the_whole_file_is_the_next_applicants() -> None:
    assert check(document(marks(OTHER_REQUEST, THEIRS)), REQUEST, MINE, 3) == Mismatch(1)


def test_kawasaki_2023_a_later_request_overwrote_the_earlier_one() -> None:
    # same kiosk software, same second, other person: the ids differ and so do all marks
    assert not set(marks(REQUEST)) & set(marks(OTHER_REQUEST, THEIRS))
    assert check(document(marks(OTHER_REQUEST)), REQUEST, MINE, 3) == Mismatch(1)


def test_munakata_2023_the_previous_users_certificate() -> None:
    assert check(document(marks(OTHER_REQUEST, THEIRS, total=1)), REQUEST, MINE, 1) == Mismatch(1)


def test_another_request_of_the_same_person() -> None:
    assert check(document(marks(OTHER_REQUEST)), REQUEST, MINE, 3) == Mismatch(1)


@pytest.mark.parametrize(
    ("texts", "page"),
    [
        ([marks()[0], marks()[2], marks()[1]], 2),
        ([marks()[0], marks()[0], marks()[2]], 2),
        ([marks()[0], marks()[1]], 0),
        ([*marks(), marks()[2]], 0),
        (["no mark at all", *marks()[1:]], 1),
        ([marks()[0], f"{marks()[1]} {marks(binding=THEIRS)[1]}", marks()[2]], 2),
        ([marks()[0], f"{marks()[1]} {marks()[1]}", marks()[2]], 2),
        (["", "", ""], 1),
    ],
    ids=["swapped", "doubled", "missing", "surplus", "unmarked", "two people on a page", "marked twice", "empty"],
)
def test_pages_out_of_order_or_number(texts: list[str], page: int) -> None:
    assert check(document(texts), REQUEST, MINE, 3) == Mismatch(page)


def test_a_surplus_page_of_somebody_else_behind_the_right_ones() -> None:
    texts = [*marks(), marks(binding=THEIRS)[0]]
    told_three = msgspec.structs.replace(document(texts), pages=3)
    assert check(told_three, REQUEST, MINE, 3) == Mismatch(4)


def test_a_digest_of_other_bytes() -> None:
    wrong = msgspec.structs.replace(document(marks()), sha256="0" * 64)
    assert check(wrong, REQUEST, MINE, 3) == Mismatch(0)


@pytest.mark.parametrize("pdf", [b"", b"%PDF-1.4", b"\x00" * 500, write_pdf(marks())[:300]])
def test_what_can_not_be_read_does_not_pass(pdf: bytes) -> None:
    unreadable = Document(pdf=pdf, sha256=hashlib.sha256(pdf).hexdigest(), pages=3)
    assert isinstance(check(unreadable, REQUEST, MINE, 3), Mismatch)


def test_no_pages_never_match() -> None:
    assert compare([], REQUEST, MINE, 0) == Mismatch(0)


@given(st.lists(st.sampled_from([*marks(), *marks(binding=THEIRS), *marks(OTHER_REQUEST), ""]), max_size=5))
def test_only_the_exact_sequence_passes(texts: list[str]) -> None:
    assert isinstance(compare(texts, REQUEST, MINE, 3), Matches) == (texts == marks())
