"""Where each key of a TOML text stands: path of names and indices -> line. The standard parser does not tell.

A scanner of lines, for texts that tomllib has read without complaint. Inside inline tables and arrays it knows the line
of the key that holds them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from provisioning.site.renamed import new_path

Path = tuple[str | int, ...]

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")
_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}'
    + r"|'''(?:[^']|'(?!''))*'{3,5}"
    + r'|"(?:[^"\\\n]|\\.)*"'
    + r"|'[^'\n]*'|#[^\n]*|[\[\]{}]",
    re.DOTALL,
)


def key_lines(text: str) -> dict[Path, int]:
    """Path, under the names of today, -> line from 1: for every table and every key that is written out."""
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, line in _statements(text):
        if header := _HEADER.match(line):
            table = _opened(_names(header[2]), header[1] == "[[", counts)
            found.setdefault(new_path(table), number)
        elif key := _KEY.match(line):
            path: Path = (*table, *_names(key[1]))
            for length in range(len(table) + 1, len(path) + 1):
                found.setdefault(new_path(path[:length]), number)
    return found


def line_at(text: str, key: str, of: dict[Path, int] | None = None) -> int:
    """The line of ``key`` ("wifi.spots[1].ipv4.gateway"), or of the nearest table or key that encloses it; else 1."""
    lines = key_lines(text) if of is None else of
    path = path_of(key)
    return next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), 1)


def path_of(key: str) -> Path:
    """("wifi", "spots", 1, "name") of "wifi.spots[1].name". An index that is not told ("[...]") ends the path."""
    parts: list[str | int] = []
    for name, index in re.findall(r"([^.\[\]]+)(?=[.\[]|$)|\[([^\]]*)\]", key):
        if index and not index.isdigit():
            break
        parts.append(int(index) if index else name)
    return tuple(parts)


def _opened(names: Sequence[str], array: bool, counts: dict[Path, int]) -> Path:
    """The path of a table header: a name that is an array of tables means its last element."""
    path: Path = ()
    for place, name in enumerate(names):
        path = (*path, name)
        if array and place == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _names(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in re.findall(_PART, dotted)]


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """First line of every statement, with its number: lines inside strings, arrays and tables are passed over."""
    place, number = 0, 1
    while place < len(text):
        end = _end(text, place)
        statement = text[place:end]
        yield number, statement.split("\n", 1)[0]
        number += statement.count("\n") + 1
        place = end + 1


def _end(text: str, start: int) -> int:
    """Where the statement that begins at ``start`` ends: the first line break outside of every bracket."""
    depth, place = 0, start
    while True:
        line_end = text.find("\n", place)
        line_end = len(text) if line_end < 0 else line_end
        token = _TOKEN.search(text, place)
        if token is None or token.start() >= line_end:
            if depth <= 0 or line_end == len(text):
                return line_end
            place = line_end + 1
            continue
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        place = token.end()
