"""Every kind of page is closed to what is not its own, in the same way."""

from __future__ import annotations

import pytest

from device.web_headers import HEADERS, PageKind, picture_policy

HASH = "'sha256-AAAA'"


def directives(policy: str) -> dict[str, str]:
    return dict(part.strip().split(" ", 1) for part in policy.split(";"))


@pytest.mark.parametrize("kind", PageKind)
def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing_inline(kind: PageKind) -> None:
    policy = directives(HEADERS[kind]["Content-Security-Policy"])
    assert set(policy.values()) <= {"'self'", "'none'"}
    assert policy.keys() >= {"default-src", "form-action", "base-uri", "frame-ancestors"}
    assert {policy["base-uri"], policy["frame-ancestors"]} == {"'none'"}


@pytest.mark.parametrize("kind", PageKind)
def test_no_kind_of_page_lacks_a_header_that_another_has(kind: PageKind) -> None:
    assert HEADERS[PageKind.PORTAL].keys() == HEADERS[kind].keys() - {"Strict-Transport-Security"}


def test_only_pages_under_a_lasting_name_ask_for_tls_for_good() -> None:
    lasting = [kind for kind in PageKind if "Strict-Transport-Security" in HEADERS[kind]]
    assert lasting == [PageKind.CITY_HALL, PageKind.CITY_HALL_KEY]


def test_a_picture_has_its_one_style_sheet_and_no_script() -> None:
    policy = directives(picture_policy(HASH))
    assert (policy["default-src"], policy["style-src"]) == ("'none'", HASH)
    assert "script-src" not in policy
