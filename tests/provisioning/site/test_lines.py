"""Where a key stands in a TOML text."""

from __future__ import annotations

import tomllib
from pathlib import Path

import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from provisioning.site.lines import key_lines, line_at, path_of

SETTSU = Path(__file__).parents[3] / "provisioning" / "examples" / "settsu.toml"
TRICKY = '''a = [
  1, # ]
  "x ] = 1",
]
b = """
[no]
c = 1
"""
[[z]]
q.r = {a = 1, b = [2]}
[[z]]
"quoted key" = '[x]'
[[z.y]]
n = 1
'''


def test_strings_arrays_and_comments_are_no_keys() -> None:
    assert key_lines(TRICKY) == {
        ("a",): 1,
        ("b",): 5,
        ("z", 0): 9,
        ("z", 0, "q"): 10,
        ("z", 0, "q", "r"): 10,
        ("z", 1): 11,
        ("z", 1, "quoted key"): 12,
        ("z", 1, "y", 0): 13,
        ("z", 1, "y", 0, "n"): 14,
    }


def test_a_key_that_is_not_written_has_the_line_of_what_encloses_it() -> None:
    assert line_at(TRICKY, "z[0].q.r.a") == 10
    assert line_at(TRICKY, "z[1].missing") == 11
    assert line_at(TRICKY, "nowhere.at.all") == 1


def test_an_index_that_is_not_told_ends_the_path() -> None:
    assert path_of("boxes[3].issuer.fees_yen[...]") == ("boxes", 3, "issuer", "fees_yen")


def test_every_key_of_the_example_is_found_on_its_own_line() -> None:
    lines = SETTSU.read_text("utf-8").splitlines()
    for path, line in key_lines("\n".join(lines)).items():
        named = [part for part in path if isinstance(part, str)]
        assert any(word in lines[line - 1] for word in named)
        if isinstance(path[-1], str):
            assert path[-1] in lines[line - 1]


NAMES = st.text("abcdefgh_-", min_size=1, max_size=4) | st.text(min_size=1, max_size=3)
PLAIN = st.integers() | st.text() | st.lists(st.text(max_size=9), max_size=3)
TREES = st.recursive(
    st.dictionaries(NAMES, PLAIN, max_size=3),
    lambda inner: st.dictionaries(NAMES, inner | PLAIN | st.lists(inner, min_size=1, max_size=3), max_size=3),
    max_leaves=12,
)


@given(TREES)
def test_whatever_is_written_every_line_named_holds_the_key(tree: dict[str, object]) -> None:
    text = tomli_w.dumps(tree, multiline_strings=False)
    assert tomllib.loads(text) == tree
    lines = text.split("\n")
    top = {path[0] for path in key_lines(text)}
    assert all(1 <= line <= len(lines) for line in key_lines(text).values())
    assert {name for name in tree if name.isascii() and name.isalnum()} <= top
