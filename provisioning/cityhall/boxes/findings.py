"""What a finding of a box's doctor is called on the pages, and what to do about it: the doctor's own words.

A heartbeat brings codes without their facts, so places in the words are left out.
"""

from __future__ import annotations

import re

from provisioning.doctor.words import words

_BRACKETED = re.compile(r"\s*[（(][^（()）]*\{[^（()）]*[)）]")
FORMER = {
    "disk.lies": "disk.read_back_mismatch",
    "power.slowed": "power.throttled",
    "unit.rests": "unit.inactive",
    "watchdog.asleep": "watchdog.not_armed",
}
"""Code that a box with an earlier release sends -> its name now."""
_PLACE = re.compile(r"\{\w+\}")


def title(code: str, language: str) -> str:
    """What ``code`` means, in a line; a code of a newer release stands for itself."""
    return _words(code, language, "title") or code


def next_step(code: str, language: str) -> str:
    """What to do at the box, or ""."""
    return _words(code, language, "next")


def _words(code: str, language: str, part: str) -> str:
    said = words()[language].get(f"{FORMER.get(code, code)}.{part}") or ""
    return _PLACE.sub("…", _BRACKETED.sub("", said))
