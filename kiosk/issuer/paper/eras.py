"""Japanese dates on paper: era years (和暦) and Western years (西暦). Pure."""

from __future__ import annotations

from datetime import date

ERAS = (
    ("令和", "R", date(2019, 5, 1)),
    ("平成", "H", date(1989, 1, 8)),
    ("昭和", "S", date(1926, 12, 25)),
    ("大正", "T", date(1912, 7, 30)),
    ("明治", "M", date(1873, 1, 1)),
)
"""Name, letter and first day of each era, newest first. Japan counts by the Gregorian calendar since 1873."""

FIRST_YEARS = {"R": 2019, "H": 1989, "S": 1926, "T": 1912, "M": 1868}


def era_year(day: date) -> tuple[str, str, int]:
    """Era name, era letter and year (from 1). Raises ValueError before 1873."""
    for name, letter, first in ERAS:
        if day >= first:
            return name, letter, day.year - FIRST_YEARS[letter] + 1
    raise ValueError("before the Gregorian calendar in Japan")


def era_date(day: date) -> str:
    """令和8年11月23日; the first year of an era is written 元年."""
    name, _, year = era_year(day)
    return f"{name}{'元' if year == 1 else year}年{day.month}月{day.day}日"


def western_date(day: date) -> str:
    """1988年4月2日, as a foreign resident's date of birth is written."""
    return f"{day.year}年{day.month}月{day.day}日"
