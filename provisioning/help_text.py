"""What ``--help`` shows: in Japanese where the locale is, and in whole sentences, within the terminal's width.

The English stands in the commands themselves; help.ja.toml has its Japanese.
"""

from __future__ import annotations

import copy
import inspect
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources

import click

from device.line_breaks import pieces

Words = Mapping[str, str]
_VARIABLES = ("HIROBA_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
"""The first that is set decides, as setlocale(3) has it; ours goes before."""
_HEADINGS = {"Options": "オプション", "Commands": "コマンド", "Arguments": "引数"}
_FACTS = (("default: ", "既定: "), ("required", "必須"))
"""What click adds to an option's text, in brackets at its end."""


def speaks_japanese(environment: Mapping[str, str]) -> bool:
    """Whether a person with this environment is spoken to in Japanese."""
    chosen = next((environment[name] for name in _VARIABLES if environment.get(name)), "")
    return chosen.lower().startswith("ja")


def words_for(environment: Mapping[str, str]) -> Words | None:
    """The words for a person with this environment; None: English as it stands."""
    return japanese_words() if speaks_japanese(environment) else None


def japanese_words() -> Words:
    """English, with single spaces -> Japanese."""
    return tomllib.loads(resources.files("provisioning").joinpath("help.ja.toml").read_text("utf-8"))


def plain(text: str | None) -> str:
    """A docstring or an option's text as one line."""
    return " ".join(inspect.cleandoc(text or "").split())


def shown(command: click.Command, words: Words | None) -> click.Command:
    """A copy that tells its own in one whole sentence where commands are listed, and all of it by ``words``."""
    told = copy.copy(command)
    told.help = _said(command.help, words)
    told.short_help = _first_sentence(told.help)
    told.params = [_option(one, words) if isinstance(one, click.Option) else one for one in command.params]
    if words is not None:
        told.context_class = _JapaneseContext
    if isinstance(told, click.Group):
        told.commands = {name: shown(one, words) for name, one in told.commands.items()}
    return told


def _option(option: click.Option, words: Words | None) -> click.Option:
    told = copy.copy(option)
    told.help = _said(option.help, words)
    return told


def _said(text: str | None, words: Words | None) -> str:
    english = plain(text)
    return english if words is None else words.get(english, english)


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=。)|(?<=[.:])(?= )", text, maxsplit=1)[0].rstrip(":").strip()


class JapaneseFormatter(click.HelpFormatter):
    """click's, with Japanese headings, and lines broken by the places a character takes on the terminal."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """See HelpFormatter."""
        super().write_usage(prog, args, prefix or "使い方: ")

    def write_heading(self, heading: str) -> None:
        """See HelpFormatter."""
        super().write_heading(_HEADINGS.get(heading, heading))

    def write_text(self, text: str) -> None:
        """See HelpFormatter."""
        for line in lines(plain(text), self.width - self.current_indent):
            self.write(f"{'':{self.current_indent}}{line}\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """See HelpFormatter."""
        rows, words, indent = list(rows), japanese_words(), " " * self.current_indent
        first = min(max((places(name) for name, _ in rows), default=0), col_max) + col_spacing
        for name, text in rows:
            told = list(lines(_bracketed(words.get(text, text)), self.width - self.current_indent - first))
            fits = places(name) <= first - col_spacing
            self.write(
                f"{indent}{name}{' ' * (first - places(name)) + (told.pop(0) if told else '') if fits else ''}\n"
            )
            for line in told:
                self.write(f"{indent}{' ' * first}{line}\n")


class _JapaneseContext(click.Context):
    formatter_class = JapaneseFormatter


def _bracketed(text: str) -> str:
    """``text`` with what click adds in brackets at its end in Japanese too."""
    found = re.fullmatch(r"(.*?)(\s*\[[^\[\]]*\])", text)
    if found is None:
        return text
    facts = found[2]
    for english, japanese in _FACTS:
        facts = facts.replace(english, japanese)
    return found[1] + facts


def places(text: str) -> int:
    """Columns of a terminal."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WFA" else 1 for letter in text)


def lines(text: str, width: int) -> Iterator[str]:
    """``text`` in lines of at most ``width`` columns; together they are ``text``."""
    line = ""
    for piece in _parted(pieces(text), width):
        if line and places(line) + places(piece.rstrip()) > width:
            yield line.rstrip()
            line = ""
        line += piece
    if line:
        yield line.rstrip()


def _parted(found: Iterable[str], width: int) -> Iterator[str]:
    """A run that is longer than a line, such as an address, is parted anywhere."""
    for piece in found:
        if places(piece) <= width:
            yield piece
        else:
            yield from piece
