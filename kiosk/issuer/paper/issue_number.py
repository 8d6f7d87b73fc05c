"""Issue numbers as printed on paper: era year, running number in that year, check digit: R8-000123-7.

Pure.
"""

from __future__ import annotations

import re
from datetime import date

from kiosk.issuer.paper.eras import era_year

_FORM = re.compile(r"([RHSTM])([0-9]{1,2})-([0-9]{6,})-([0-9])")
_ERA_DIGIT = {"M": "1", "T": "2", "S": "3", "H": "4", "R": "5"}


def issue_number(day: date, running: int) -> str:
    """The number ``running`` (from 1) of the era year in which ``day`` lies."""
    letter, year = era_year(day)[1:]
    return f"{letter}{year}-{running:06d}-{check_digit(f'{_ERA_DIGIT[letter]}{year:02d}{running:06d}')}"


def is_issue_number(text: str) -> bool:
    """Whether the form and the check digit hold."""
    found = _FORM.fullmatch(text)
    if not found:
        return False
    letter, year, running, digit = found.groups()
    return check_digit(f"{_ERA_DIGIT[letter]}{int(year):02d}{running}") == digit


def check_digit(digits: str) -> str:
    """ISO/IEC 7064 MOD 11,10: every single wrong digit shows, and nearly every swap of neighbours."""
    product = 10
    for digit in digits:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)
