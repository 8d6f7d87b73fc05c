"""Era dates and issue numbers as printed."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.issuer.paper.eras import era_date, era_year, western_date
from kiosk.issuer.paper.issue_number import check_digit, is_issue_number, issue_number


@pytest.mark.parametrize(
    ("day", "written"),
    [
        (date(2026, 11, 23), "令和8年11月23日"),
        (date(2019, 5, 1), "令和元年5月1日"),
        (date(2019, 4, 30), "平成31年4月30日"),
        (date(1989, 1, 8), "平成元年1月8日"),
        (date(1989, 1, 7), "昭和64年1月7日"),
        (date(1926, 12, 24), "大正15年12月24日"),
        (date(1912, 7, 29), "明治45年7月29日"),
    ],
)
def test_a_day_is_written_in_its_era(day: date, written: str) -> None:
    assert era_date(day) == written


def test_a_foreign_birthday_is_written_in_western_years() -> None:
    assert western_date(date(1988, 4, 2)) == "1988年4月2日"


def test_days_before_the_calendar_are_an_error() -> None:
    with pytest.raises(ValueError, match="Gregorian"):
        era_year(date(1872, 12, 31))


def test_the_check_digit_is_that_of_the_standards_example() -> None:
    assert check_digit("0794") == "5"  # ISO/IEC 7064, MOD 11,10


@given(day=st.dates(date(1989, 1, 8), date(2080, 1, 1)), running=st.integers(1, 999_999), place=st.integers(0, 20))
def test_one_wrong_digit_always_shows(day: date, running: int, place: int) -> None:
    number = issue_number(day, running)
    assert is_issue_number(number)
    places = [i for i, c in enumerate(number) if c.isdigit() and i > number.index("-")]
    at = places[place % len(places)]
    wrong = number[:at] + str((int(number[at]) + 1) % 10) + number[at + 1 :]
    assert not is_issue_number(wrong)


@given(st.text(max_size=20))
def test_no_text_breaks_the_reading_of_issue_numbers(text: str) -> None:
    assert is_issue_number(text) in (True, False)
