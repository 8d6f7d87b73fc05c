"""Every finding has words in both languages, and they can be printed."""

from __future__ import annotations

import re
import string
from datetime import datetime
from pathlib import Path

import pytest

from device.clock import JST
from device.health import thresholds
from device.health.finding import Finding, Severity
from device.printer.raster import ReceiptRenderer
from device.printer.status import Condition
from provisioning.doctor import checks, report, updates

JAPANESE, ENGLISH = (report.words()[language].sentences for language in report.LANGUAGES)
WORDS = sorted({key.rpartition(".")[0] for key in JAPANESE})
FACTS = ("free_mib", "free_percent", "used_percent", "count", "celsius", "year", "seconds", "name", "days_left",
         "hours", "unit", "restarts", "check", "reason", "interface", "online", "file", "container", "setting",
         "wanted", "found", "release", "days")  # fmt: skip


def codes() -> set[str]:
    """Every code that a judge or a check can say."""
    sources = [Path(str(module.__file__)).read_text("utf-8") for module in (thresholds, checks, updates)]
    literal = {code for text in sources for code in re.findall(r'"([a-z]+(?:_[a-z]+)*\.[a-z_]+)"', text)}
    units_and_files = {code for code in literal if code.endswith((".service", ".target", ".db", ".pem", ".json"))}
    printers = {f"{which}.{c.value}" for which in ("receipt_printer", "page_printer") for c in Condition}
    return (literal - units_and_files) | printers


def test_every_code_has_words_and_all_words_are_of_a_code() -> None:
    assert set(WORDS) == codes()


@pytest.mark.parametrize("code", WORDS)
def test_both_languages_say_the_same_parts_with_the_same_facts(code: str) -> None:
    ja, en = (
        {key.removeprefix(f"{code}."): said for key, said in words.items() if key.rpartition(".")[0] == code}
        for words in (JAPANESE, ENGLISH)
    )
    assert ja.keys() == en.keys()
    assert set(ja) in ({"title"}, {"title", "cause", "next"})
    for part in ja:
        places = [{name for _, name, _, _ in string.Formatter().parse(text[part]) if name} for text in (ja, en)]
        assert places[0] == places[1]
        assert places[0] <= set(FACTS)


def test_what_is_not_well_always_names_a_cause_and_a_next_step() -> None:
    unwell = {thresholds.printer("page_printer", c.value).code for c in Condition if c is not Condition.READY}
    unwell |= {thresholds.canary(answer).code for answer in ("read_only", "differs", "failed")}
    unwell |= {thresholds.rtc(None).code, thresholds.dns(False).code, thresholds.last_backup(None, wanted=False).code}
    assert all(f"{code}.next" in JAPANESE for code in unwell)


def test_the_receipt_can_be_printed_whatever_was_found() -> None:
    facts: dict[str, str | int | float] = dict.fromkeys(FACTS, 7)
    for code in WORDS:
        receipt = report.as_receipt(
            [Finding(code, Severity.ERROR, facts)], "TEST-1", datetime(2026, 11, 23, tzinfo=JST)
        )
        assert ReceiptRenderer(576).render(receipt).height > 100


def test_the_worst_stands_first() -> None:
    text = report.as_text([thresholds.canary("ok"), thresholds.rtc(None), thresholds.canary("differs")])
    assert [line[0] for line in text.splitlines() if line[0] != " "] == ["×", "△", "○"]
