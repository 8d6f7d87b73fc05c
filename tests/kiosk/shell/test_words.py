"""The catalogues: complete, the same in every language, and nothing in them that nobody says."""

from __future__ import annotations

import re
import string
import tomllib
from pathlib import Path

import pytest

from device.printer.status import Condition
from kiosk.issuer.protocol import RefusalReason
from kiosk.services import ROWS, load
from kiosk.services.certificates.form_answers import TOO_FEW, TOO_MANY
from kiosk.services.certificates.issuance.receipt import REQUIRED_WORDS
from kiosk.services.plaza.state import PICTURES
from kiosk.shell.readiness import PRINTER_CODES, READER_CODES
from kiosk.shell.service import packages_of
from kiosk.shell.words import Words
from kiosk.sign_in.shared import SIGN_IN

KIOSK = Path(__file__).parents[3] / "kiosk"
PACKAGES = packages_of(load(ROWS))
FOLDERS = [KIOSK.parent / package.replace(".", "/") for package in PACKAGES]
LANGUAGES = sorted({path.stem for folder in FOLDERS for path in (folder / "locale").glob("*.toml")})


def catalogue(language: str) -> dict[str, str]:
    """Every room's words of one language; a key stands in one room only."""
    found: dict[str, str] = {}
    for folder in FOLDERS:
        words = tomllib.loads((folder / "locale" / f"{language}.toml").read_text("utf-8"))
        assert not found.keys() & words.keys()
        found |= words
    return found


CATALOGUES = {name: catalogue(name) for name in LANGUAGES}
TROUBLES = {
    "general",
    "card.gone",
    "card.protocol",
    "card.not_my_number",
    "card.pin_blocked",
    "issuer.unreachable",
    "issuer.not_ready",
    "kiosk.no_staff_code",
    "print.failed",
    "print.unknown",
    *READER_CODES.values(),
    *PRINTER_CODES.values(),
    *(f"refused.{reason.value}" for reason in RefusalReason),
}


def said() -> set[str]:
    """Every key that a template or the code says."""
    texts = [path.read_text("utf-8") for path in KIOSK.glob("s*/**/templates/*.html")]
    literal = {key for text in texts for key in re.findall(r'"([a-z_]+\.[a-z_.]+)"', text)}
    literal |= {key for text in texts for key in re.findall(r"t\('([a-z_.]+)'\)", text)}
    codes = " ".join(path.read_text("utf-8") for path in KIOSK.glob("s*/**/*.py"))
    notices = {f"notice.{code}" for code in re.findall(r'(?:\.tell|Notice)\(\s*"([a-z_]+)"', codes)}
    steps = {f"step.{name}" for service in load(ROWS) for name, _ in service.journey.steps}
    menu = {f"services.{name}{part}" for name in ROWS for part in ("", "_note", "_prepare")}
    menu |= {f"services.{s.name}_purpose" for s in load(ROWS) if SIGN_IN in s.shares}
    pictures = {f"plaza.how.{name}{part}" for name in PICTURES for part in ("", "_note")}
    notices |= {f"notice.{code}" for code in (TOO_FEW, TOO_MANY)}
    receipt = {f"take_items.receipt_{state}" for state in ("waiting", "printed", "failed")}
    troubles = {f"trouble.{code}.{part}" for code in TROUBLES for part in ("what", "why", "next")}
    literal = {key for key in literal if not key.endswith((".html", ".", "_"))}  # a file, or the start of a made-up key
    made = notices | steps | menu | pictures | receipt | troubles
    return literal | made | set(REQUIRED_WORDS) | {"language.name"}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_that_is_said_stands_in_the_catalogue(language: str) -> None:
    assert said() - CATALOGUES[language].keys() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_stands_in_the_catalogue_that_nobody_says(language: str) -> None:
    assert CATALOGUES[language].keys() - said() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_words_with_the_same_places(language: str) -> None:
    japanese = {key: fields(text) for key, text in CATALOGUES["ja"].items()}
    assert {key: fields(text) for key, text in CATALOGUES[language].items()} == japanese


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unknown_code_gets_the_general_sentences(language: str) -> None:
    words = Words.load([language], PACKAGES)
    assert words.trouble(language, "never.heard_of") == words.trouble(language, "general")


def test_every_condition_that_does_not_print_has_its_sentences() -> None:
    assert {condition for condition in Condition if not condition.can_print} == PRINTER_CODES.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_neutral_refusal_says_nothing_about_the_reason(language: str) -> None:
    text = " ".join(Words.load([language], PACKAGES).trouble(language, "refused.counter"))
    assert not re.search("支援|制限|restrict|protect|disclos", text)
