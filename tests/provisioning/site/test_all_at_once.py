"""``hiroba site check`` tells every mistake of a file at once: of types, of one box, of boxes together."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from provisioning.cli import hiroba
from provisioning.site.box_check import check_box
from provisioning.site.city_check import check_city
from provisioning.site.file import loaded
from provisioning.site.model import Site
from provisioning.site.type_mistakes import type_mistakes

SETTSU = Path(__file__).parents[3] / "provisioning/examples/settsu.toml"
TEXT = SETTSU.read_text("utf-8")
PLAIN = Path(__file__).parents[2] / "fixtures/render/two_spots/site.toml"
SEVEN = (
    ('opens = "06:30"', "opens = 630", "kiosk.opens"),
    ("port = 9100", "port = 91000", "receipt_printer.port"),
    ("residence_record = 300", "residence_record = -300", "issuer.fees_yen.residence_record"),
    ('first = "192.168.90.20"', 'first = "192.168.99.20"', "spot.dhcp.first"),
    ('asset = "R08-0003"', 'network.address = "192.168.10.5/24"', "boxes[2].network.address"),
    ('name = "ajifu-1"', 'name = "miyake-1"', "boxes[6].name"),
    ('security = "open"', 'security = "opne"', "boxes[7].wifi.spots[1].ssids[0].security"),
)
"""Old, new, the key that is wrong then: one of each kind."""


def seven_mistakes() -> str:
    text = TEXT
    for old, new, _ in SEVEN:
        text = text.replace(old, new, 1)
    return text


def keys(text: str) -> list[str]:
    return [str(error.facts["key"]) for error in check_city(loaded(text, SETTSU)).mistakes]


def test_seven_mistakes_of_seven_kinds_are_told_at_once() -> None:
    assert sorted(keys(seven_mistakes())) == sorted(key for _, _, key in SEVEN)


def test_the_command_lists_them_by_line_and_fails(tmp_path: Path) -> None:
    file = tmp_path / "city.toml"
    file.write_text(seven_mistakes(), "utf-8")
    told = CliRunner().invoke(hiroba, ["site", "check", str(file), "--json"])
    facts = json.loads(told.output)
    lines = [mistake["line"] for mistake in facts["mistakes"]]
    assert (told.exit_code, facts["ok"], lines) == (1, False, sorted(lines))
    for mistake in facts["mistakes"]:
        new = next(new for _, new, key in SEVEN if key == mistake["key"])
        assert new in file.read_text("utf-8").splitlines()[mistake["line"] - 1]
        assert all(mistake[part] for part in ("wrong", "right", "wrong_ja", "right_ja"))


def test_people_get_file_line_and_key_then_both_languages(tmp_path: Path) -> None:
    file = tmp_path / "city.toml"
    file.write_text(TEXT.replace("port = 9100", "port = 91000"), "utf-8")
    told = CliRunner().invoke(hiroba, ["site", "check", str(file)])
    place, japanese, english, count = told.stderr.splitlines()
    line = TEXT[: TEXT.index("port = 9100")].count("\n") + 1
    assert (told.exit_code, place) == (1, f"{file}:{line}: receipt_printer.port")
    assert "91000 はポート番号ではありません" in japanese
    assert "Take a number from 1 to 65535" in english
    assert "1" in count


def test_a_mistake_of_a_section_for_all_boxes_is_told_once() -> None:
    assert keys(TEXT.replace('telephone = "06-0000-0000"  ', 'telephone = " "  ')) == ["city.telephone"]
    assert keys(TEXT.replace('uplink = "eth0"\nlogin', "login")) == ["spot.uplink"]


def test_a_broken_section_hides_nothing_of_another() -> None:
    text = TEXT.replace('name_ja = "摂津市"\n', "name_ja = 1\n", 1).replace(
        "warning_seconds = 30", "warning_seconds = 5"
    )
    assert keys(text) == ["city.name_ja", "kiosk.warning_seconds"]


def test_a_box_whose_name_is_wrong_hides_nothing_of_the_others() -> None:
    text = TEXT.replace('name = "ajifu-1"', 'name = "Ajifu 1"').replace('uri = "ipps://', 'uri = "lpd://')
    assert keys(text) == ["boxes[6].name", "boxes[10].page_printer.uri"]


def test_a_box_s_own_file_is_checked_whole_as_well() -> None:
    text = (
        PLAIN.read_text("utf-8").replace('uplink = "eth0"', "uplink = 0").replace("[city]", "[kiosk]\nport = 0\n[city]")
    )
    found = check_box(loaded(text, PLAIN))
    assert [error.facts["key"] for error in found.mistakes] == [
        "wifi.spots[0].uplink",
        "wifi.spots[1].uplink",
        "kiosk.port",
    ]
    assert found.site is None


@pytest.mark.parametrize("text", ["", "boxes = 1", "boxes = [1]", "[[boxes]]", "boxes = []", "[boxes]\nname = 'x'"])
def test_a_file_of_another_shape_is_told_and_breaks_nothing(text: str) -> None:
    assert keys(text)


TREE = tomllib.loads(PLAIN.read_text("utf-8"))
JUNK = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)


def paths(tree: object, above: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [place for key, value in inner for place in [(*above, key), *paths(value, (*above, key))]]


@given(st.lists(st.tuples(st.sampled_from(paths(TREE)), JUNK), max_size=4))
def test_mistakes_are_told_exactly_where_msgspec_refuses(changes: list[tuple[tuple[object, ...], object]]) -> None:
    tree = tomllib.loads(PLAIN.read_text("utf-8"))
    for path, value in changes:
        put(tree, path, value)
    try:
        msgspec.convert(tree, Site)
        refused = False
    except msgspec.ValidationError:
        refused = True
    found = list(type_mistakes(tree, Site))
    assert bool(found) == refused
    assert len({(mistake.key, mistake.code) for mistake in found}) == len(found)


def put(tree: object, path: tuple[object, ...], value: object) -> None:
    """Set ``path``, unless an earlier change took away what holds it."""
    *above, last = path
    for part in above:
        try:
            tree = tree[part]  # type: ignore[index]  # a tree of TOML
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(tree, dict) or (isinstance(tree, list) and isinstance(last, int) and last < len(tree)):
        tree[last] = value  # type: ignore[call-overload]  # as above
