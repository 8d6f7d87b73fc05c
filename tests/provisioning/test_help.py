"""What --help says: in the reader's language, whole, and within 80 columns."""

from __future__ import annotations

import io
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from provisioning.cli import COMMANDS, hiroba
from provisioning.commands.wifi_site import make_table
from provisioning.help_text import japanese_words, lines, places, plain, speaks_japanese

WORDS = japanese_words()
OF_CLICK = "Show this message and exit."


def commands(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command and group, with the words that call it."""
    yield before, group
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, click.Group):
            yield from commands(found, (*before, name))
        elif found:
            yield (*before, name), found


EVERY = dict(commands(hiroba))


def texts() -> Iterator[str]:
    """Every English text that a help may show."""
    yield from (plain(text) for _, text in COMMANDS.values())
    for command in EVERY.values():
        yield plain(command.help)
        yield from (plain(option.help) for option in command.params if isinstance(option, click.Option))


def asked(words: tuple[str, ...], language: str) -> str:
    result = CliRunner(env={"HIROBA_LANG": language}).invoke(hiroba, [*words, "--help"], terminal_width=80)
    assert result.exit_code == 0, result.output
    return result.output


def test_no_text_lacks_its_japanese_and_no_japanese_its_text() -> None:
    shown = {*texts(), OF_CLICK}
    assert "" not in shown, "a command or an option without a text"
    assert shown - WORDS.keys() == set()
    assert WORDS.keys() - shown == set()


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_help_in_japanese_is_within_80_columns_and_speaks_no_english(words: tuple[str, ...]) -> None:
    output = asked(words, "ja")
    assert [line for line in output.splitlines() if places(line) > 80] == []
    assert output.startswith("使い方: ")
    assert "オプション:" in output
    assert [text for text in texts() if len(text) > 20 and text in output] == []
    assert not [word for word in ("[default", "[required", "Show this message") if word in output]


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_help_in_english_cuts_no_sentence(words: tuple[str, ...]) -> None:
    output = asked(words, "en")
    assert [line for line in output.splitlines() if line.endswith("...") and not line.startswith("Usage")] == []
    assert "使い方" not in output


@pytest.mark.parametrize(
    ("environment", "japanese"),
    [
        ({}, False),
        ({"LANG": "C"}, False),
        ({"LANG": "ja_JP.UTF-8"}, True),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "en_US.UTF-8"}, False),
        ({"LANG": "ja_JP.UTF-8", "HIROBA_LANG": "en"}, False),
        ({"LANG": "C", "HIROBA_LANG": "ja"}, True),
    ],
)
def test_the_locale_decides_and_our_own_variable_goes_before(environment: dict[str, str], japanese: bool) -> None:
    assert speaks_japanese(environment) is japanese


@given(st.text(alphabet="ひろば端末、。（）「」 abcXYZ-/[]", max_size=120), st.integers(10, 80))
def test_lines_lose_nothing_and_are_no_wider_than_asked(text: str, width: int) -> None:
    made = list(lines(text, width))
    assert "".join("".join(made).split()) == "".join(text.split())
    assert all(places(line) <= width for line in made)


@pytest.mark.parametrize("width", [40, 80])
def test_a_table_on_a_narrow_terminal_cuts_off_nothing(width: int) -> None:
    cell = "0123456789abcdef0123456789abcdef"
    table = make_table(
        "利用", ["番号", "スポット", "残り（分）"], [[cell, "市民ホールの二階の図書コーナー", "59"]], left=2
    )
    console = Console(width=width, file=io.StringIO())
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    columns = zip(*(line.split("│") for line in console.file.getvalue().splitlines() if "│" in line), strict=True)
    told = ["".join(part.strip() for part in column) for column in columns]
    assert told[1:-1] == [cell, "市民ホールの二階の図書コーナー", "59"]
