"""Every finding has words in both languages, and they can be printed."""

from __future__ import annotations

import re
import string
from datetime import datetime
from pathlib import Path

import pytest

from device.clock import JST
from device.health.finding import Finding, Severity
from device.printer.raster import ReceiptRenderer
from device.printer.status import Condition
from provisioning import doctor
from provisioning.doctor import report
from provisioning.doctor.checks import backup, disk, dns, rtc
from provisioning.doctor.printer_condition import judge_printer
from provisioning.doctor.table import CHECKS
from provisioning.doctor.words import LANGUAGES, words

JAPANESE, ENGLISH = (words()[language].sentences for language in LANGUAGES)
WORDS = sorted({key.rpartition(".")[0] for key in JAPANESE})
HERE = Path(str(doctor.__file__)).parent
FACTS = ("free_mib", "free_percent", "used_percent", "count", "celsius", "year", "seconds", "name", "days_left",
         "hours", "unit", "restarts", "check", "reason", "interface", "online", "file", "container", "setting",
         "wanted", "found", "release", "days", "spot", "used", "size", "kiosk", "given",
         "part", "lines", "compared")  # fmt: skip


def codes() -> set[str]:
    """Every code that a check can say."""
    sources = [file.read_text("utf-8") for file in [HERE / "examination.py", *(HERE / "checks").glob("*.py")]]
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
    unwell = {judge_printer("page_printer", c.value).code for c in Condition if c is not Condition.READY}
    unwell |= {disk.judge_canary(answer).code for answer in ("read_only", "differs", "failed")}
    unwell |= {rtc.judge(None).code, dns.judge(False).code, backup.judge(None, wanted=False).code}
    assert all(f"{code}.next" in JAPANESE for code in unwell)


def test_the_receipt_can_be_printed_whatever_was_found() -> None:
    facts: dict[str, str | int | float] = dict.fromkeys(FACTS, 7)
    for code in WORDS:
        receipt = report.as_receipt(
            [Finding(code, Severity.ERROR, facts)], "TEST-1", datetime(2026, 11, 23, tzinfo=JST)
        )
        assert ReceiptRenderer(576).render(receipt).height > 100


def test_the_worst_stands_first() -> None:
    text = report.as_text([disk.judge_canary("ok"), rtc.judge(None), disk.judge_canary("differs")])
    assert [line[0] for line in text.splitlines() if line[0] != " "] == ["×", "△", "○"]


def test_every_check_has_its_words_beside_it_and_no_file_is_left_over() -> None:
    modules = {file.stem for file in (HERE / "checks").glob("*.py")} - {"__init__"}
    assert {check.name for check in CHECKS} == modules == {file.stem for file in (HERE / "checks").glob("*.toml")}
