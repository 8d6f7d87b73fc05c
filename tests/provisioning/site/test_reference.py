"""Every key of the site file is documented, every documented key exists, and what is published is fresh."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import jsonschema_rs
import pytest

from provisioning.site.model import Site
from provisioning.site.reference import PAGE, SCHEMA, city_head, keys, page_text, schema_text
from provisioning.site.words import key_words, words

SETTSU = Path(__file__).parents[3] / "provisioning" / "examples" / "settsu.toml"
PLAIN = Path(__file__).parents[2] / "fixtures" / "render" / "two_spots" / "site.toml"
KEYS = {key for key, _ in [*keys(Site), *city_head()]}


def test_every_key_is_documented_and_every_documented_key_exists() -> None:
    assert key_words().keys() == KEYS


@pytest.mark.parametrize("key", sorted(KEYS))
def test_a_key_is_documented_in_both_languages(key: str) -> None:
    assert re.search(r"[ぁ-んァ-ン一-龠]", key_words()[key]["ja"])
    assert key_words()[key]["en"].isascii()


def test_the_published_schema_and_page_are_fresh() -> None:
    assert SCHEMA.read_text("utf-8") == schema_text(), "hiroba site schema > provisioning/site/site.schema.json"
    assert PAGE.read_text("utf-8") == page_text(), "hiroba site schema --page > provisioning/site/SITE.md"


@pytest.mark.parametrize("path", [SETTSU, PLAIN], ids=lambda p: p.name)
def test_the_schema_takes_a_city_and_a_box(path: Path) -> None:
    jsonschema_rs.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(
        tomllib.loads(path.read_text("utf-8"))
    )


@pytest.mark.parametrize(
    "change", [("[spot.ipv4]", "[spot.ipv5]"), ('"06:30"', '"6:30"'), ('name = "cityhall-1"', ""), ("= 23", "= 31")]
)
def test_the_schema_refuses_what_we_refuse(change: tuple[str, str]) -> None:
    tree = tomllib.loads(SETTSU.read_text("utf-8").replace(*change, 1))
    assert not jsonschema_rs.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).is_valid(tree)


def test_every_problem_is_told_in_both_languages() -> None:
    for part in ("wrong", "right", "kind", "form", "said", "said_right", "got"):
        for code, said in words()[part].items():
            assert said["ja"], code
            assert said["en"], code


def test_every_pattern_of_the_schema_has_words_for_its_form() -> None:
    patterns = set(re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', SCHEMA.read_text("utf-8")))
    assert {json.loads(f'"{pattern}"') for pattern in patterns} <= words()["form"].keys()
