"""A site file is data: whatever stands in it, root runs no program for it, and no line of another program's file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from provisioning.box.health import url_check
from provisioning.box.render.box import CITYHALL, SITE, render_box
from provisioning.box.render.refusal import CannotRender
from provisioning.box.render.site_file import POLICY
from provisioning.site.box_types import sections
from provisioning.site.checks import site_mistakes
from provisioning.site.city_reading import read_city
from provisioning.site.file import loaded
from provisioning.site.model import Site
from provisioning.site.reference import schema_text
from provisioning.site.rights import PLACES
from provisioning.updates.errors import CommandsFileUnsafe, TrustMisplaced
from provisioning.updates.local_commands import UpdateCommands, read_commands
from provisioning.updates.settings import UpdateSettings
from provisioning.updates.slots import Slots
from provisioning.updates.wiring import open_client

EXAMPLE = Path("provisioning/examples/settsu.toml")
LINE = "ExecStartPre=/bin/evil"
MORE: dict[str, dict[str, Any]] = {
    "backup": {"recipient": "age1x", "folder": "/media/x"},
    "network": {"ntp": ["ntp.example.jp"]},
}
OLD = """
[updates]
source = "https://updates.example.jp/"
health_commands = [["touch", "/tmp/proof"]]
lay = [["touch", "/tmp/proof"]]
restart = [["touch", "/tmp/proof"]]
after_good = [["touch", "/tmp/proof"]]
"""


def with_line(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Each string of ``tree`` in turn with a second line that is a directive."""
    found = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in found:
        below: Iterator[tuple[tuple[Any, ...], Any]] = with_line(value, (*path, key))
        if isinstance(value, str):
            below = iter([((*path, key), f"{value or '/media/x'}\n{LINE}\n")])
        for where, changed in below:
            copy = dict(tree) if isinstance(tree, dict) else list(tree)
            copy[key] = changed
            yield where, copy


def trees() -> Iterator[dict[str, Any]]:
    city = read_city(EXAMPLE)
    for name in ("library-1", "cityhall-1"):
        tree = tomllib.loads(city.box(name).toml)
        yield {**tree, **MORE, "network": {**tree.get("network", {}), **MORE["network"]}}


@pytest.mark.parametrize("tree", list(trees()), ids=["library-1", "cityhall-1"])
def test_no_string_begins_a_line_in_a_file_that_another_program_reads(tree: dict[str, Any]) -> None:
    tried = 0
    for where, changed in with_line(tree):
        site, mistakes = sections(changed)
        if mistakes:
            continue
        try:
            files = render_box(site, "[cityhall]\n", POLICY.read_text(), Path("/var/lib/hiroba"), None)
        except (CannotRender, ValueError):
            continue
        tried += 1
        lines = [line for path, file in files.items() if path not in (SITE, CITYHALL) for line in file.text.split("\n")]
        assert not any(line.strip().startswith("ExecStartPre") for line in lines), where
    assert tried > 10


def test_no_key_of_the_schema_is_a_list_of_words_to_run() -> None:
    """Programs were lists of lists of strings; a new key of that shape, or of one of those names, is seen here."""
    schema = msgspec.json.decode(schema_text().encode())
    runs = [
        f"{name}.{key}"
        for name, one in schema["$defs"].items()
        for key, kind in one.get("properties", {}).items()
        if kind.get("items", {}).get("type") == "array"
        or any(word in key for word in ("command", "program", "exec", "script", "hook", "restart", "after_good"))
    ]
    assert runs == []


def test_every_key_that_names_a_file_or_folder_has_its_rule() -> None:
    words = ("file", "folder", "database", "certificate", "key", "socket", "leases", "register", "seal", "trust", "ca")
    schema = msgspec.json.decode(schema_text().encode())
    keys = {key for one in schema["$defs"].values() for key in one.get("properties", {})}
    named = {key for key in keys if any(key == word or key.endswith(f"_{word}") for word in words)}
    ruled = {key.rpartition(".")[2].removesuffix("[]") for key in PLACES}
    assert named - ruled <= {"database", "key"}


def test_commands_in_a_site_file_of_an_earlier_release_are_told_and_not_read() -> None:
    notes: list[str] = []
    file = loaded(OLD, Path("site.toml"), notes.append)
    assert file.tree["updates"] == {"source": "https://updates.example.jp/"}
    assert len(notes) == 4
    assert all("/etc/hiroba/update-commands.toml" in note for note in notes)


def test_programs_are_read_from_a_file_of_root_alone(tmp_path: Path) -> None:
    file = tmp_path / "update-commands.toml"
    assert read_commands(file) == UpdateCommands()
    file.write_text('health = [["true"]]\n')
    assert read_commands(file).health == (("true",),)
    for spoil in (partial(file.chmod, 0o666), partial(tmp_path.chmod, 0o777), partial(link, file)):
        spoil()
        with pytest.raises(CommandsFileUnsafe):
            read_commands(file)
        file.unlink()
        tmp_path.chmod(0o700)
        file.write_text("")


def link(file: Path) -> None:
    file.unlink()
    (file.parent / "elsewhere").write_text('health = [["true"]]\n')
    file.symlink_to(file.parent / "elsewhere")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_file_of_programs_that_another_user_owns_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "update-commands.toml"
    file.write_text("")
    os.chown(file, 65534, 65534)
    with pytest.raises(CommandsFileUnsafe):
        read_commands(file)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("updates", "trust", "/media/stick/root.json"),
        ("updates", "trust", "/etc/hiroba/../../media/root.json"),
        ("updates", "source", "http://updates.example.jp/"),
        ("updates", "source", "https://user:word@updates.example.jp/"),
        ("updates", "health_urls", ["file:///etc/passwd"]),
        ("backup", "folder", "/etc"),
        ("backup", "folder", "/"),
        ("issuer", "register", "/etc/cron.d/register"),
        ("cityhall", "database", "sqlite:////etc/cron.d/x"),
    ],
)
def test_a_place_or_address_that_leads_root_astray_is_a_mistake(section: str, key: str, value: object) -> None:
    tree = next(trees()) if section != "cityhall" else list(trees())[1]
    more = {"issuer": {"mayor": "m", "municipality_code": "27999", "fees_yen": {}}} if section == "issuer" else {}
    changed = {**tree, **more, section: {**tree.get(section, {}), **more.get(section, {}), key: value}}
    site, mistakes = sections(changed)
    assert isinstance(site, Site)
    assert not mistakes
    assert any(found.key.startswith(f"{section}.{key}") for found in site_mistakes(site))


@pytest.mark.parametrize("trust", ["/media/stick/root.json", "/etc/hiroba/../../media/root.json", "root.json"])
def test_a_root_of_trust_that_came_with_the_site_file_is_not_believed(trust: str, tmp_path: Path) -> None:
    with pytest.raises(TrustMisplaced):
        open_client(str(tmp_path), UpdateSettings(source=str(tmp_path), trust=trust), None, Slots(tmp_path))


def test_a_health_url_opens_no_file(tmp_path: Path) -> None:
    (tmp_path / "well").write_text("x")
    assert url_check(f"file://{tmp_path}/well")() != ""
