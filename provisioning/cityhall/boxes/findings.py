"""What a finding of a box's doctor is called on the pages, and what to do about it: the doctor's own words.

A heartbeat brings codes without their facts, so places in the words are left out.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

_BRACKETED = re.compile(r"\s*[（(][^（()）]*\{[^（()）]*[)）]")
_PLACE = re.compile(r"\{\w+\}")


@cache
def _catalogue() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    return tomllib.loads(resources.files("provisioning.doctor").joinpath("words.toml").read_text("utf-8"))


def title(code: str, language: str) -> str:
    """What ``code`` means, in a line; a code of a newer release stands for itself."""
    return _words(code, language, "title") or code


def next_step(code: str, language: str) -> str:
    """What to do at the box, or ""."""
    return _words(code, language, "next")


def _words(code: str, language: str, part: str) -> str:
    said = _catalogue().get(code, {}).get(language, {}).get(part, "")
    return _PLACE.sub("…", _BRACKETED.sub("", said))
