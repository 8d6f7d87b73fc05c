"""Sections and parts that had another name in earlier releases: read as before, told once by their new name. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SECTIONS: Mapping[str, str] = {"fleet": "cityhall", "fleet_link": "cityhall_link"}
"""Former name of a section -> its name now."""
PARTS: Mapping[str, str] = {"fleet": "cityhall"}
"""Former name of a part of a box -> its name now."""

NOT_READ = ("health_commands", "lay", "restart", "after_good")
"""Keys of [updates] in earlier releases: programs that root would run because a file said so."""

_LOCAL = "/etc/hiroba/update-commands.toml"

Tree = dict[str, Any]


def renamed(tree: Tree) -> tuple[Tree, list[str]]:
    """The settings under the names of today, and one line for each former name, for people: Japanese and English."""
    notes: list[str] = []
    new = _without_commands(_sections(tree, notes), notes)
    if isinstance(new.get("box"), dict):
        new["box"] = _parts(new["box"], notes)
    if isinstance(new.get("boxes"), list):
        new["boxes"] = [
            _parts(_without_commands(_sections(box, notes), notes), notes) if isinstance(box, dict) else box
            for box in new["boxes"]
        ]
    return new, list(dict.fromkeys(notes))


def new_path(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The path of a key under its name of today."""
    place = 2 if path[:1] == ("boxes",) else 0
    if len(path) <= place:
        return path
    name = path[place]
    return (*path[:place], SECTIONS.get(name, name) if isinstance(name, str) else name, *path[place + 1 :])


def _sections(tree: Tree, notes: list[str]) -> Tree:
    """A section that stands under both names stays under both: the former is then an unknown key."""
    new = {}
    for name, value in tree.items():
        now = SECTIONS.get(name, name)
        if now != name and now not in tree:
            notes.append(note(f"[{name}]", f"[{now}]"))
            new[now] = value
        else:
            new[name] = value
    return new


def _without_commands(tree: Tree, notes: list[str]) -> Tree:
    updates = tree.get("updates")
    if not isinstance(updates, dict):
        return tree
    found = [name for name in NOT_READ if name in updates]
    notes += [
        f"[updates] {name} は設定ファイルからは実行されません。root が {_LOCAL} に書きます。"
        f" / [updates] {name} is not run from a site file; root writes it into {_LOCAL}."
        for name in found
    ]
    return {**tree, "updates": {key: value for key, value in updates.items() if key not in found}}


def _parts(box: Tree, notes: list[str]) -> Tree:
    parts = box.get("parts")
    if not isinstance(parts, list):
        return box
    known = [part for part in parts if isinstance(part, str) and part in PARTS]
    notes += [note(f'parts "{part}"', f'parts "{PARTS[part]}"') for part in known]
    return {**box, "parts": [PARTS.get(part, part) if isinstance(part, str) else part for part in parts]}


def note(former: str, now: str) -> str:
    """The line for people about one former name."""
    return f"{former} は {now} に名前が変わりました（まだ使えます）。 / {former} is now called {now} (still read)."
