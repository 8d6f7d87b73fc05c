"""The map of data: every table and file of a running Hiroba, with what it says of whom, why, how long, and who sees it.

``data_map.toml`` is the one truth; docs/personal_data.md is made from it (``hiroba retention show --page``), and a test
holds it against the tables of all databases.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import NamedTuple


class DataSet(NamedTuple):
    """One row. place: "FILE:TABLE" below the state folder, or a file. personal: it says something of a person."""

    place: str
    personal: bool
    what_ja: str
    what_en: str
    why: str
    age: str
    who: str


def data_map() -> list[DataSet]:
    """All rows, as in the file."""
    tree = tomllib.loads(resources.files("provisioning.retention").joinpath("data_map.toml").read_text("utf-8"))
    return [
        DataSet(place, row["personal"], row["ja"], row["en"], *(row.get(key, "") for key in ("why", "age", "who")))
        for place, row in tree.items()
    ]


_HEAD = """# 個人データの地図

Hiroba がどこに、何を、なぜ、どれだけの間持ち、だれが見られるか。`hiroba retention show --page` が作ります。
`STATE` は状態のフォルダー（`/var/lib/hiroba`）。期間は設定ファイルの節とキーの名前です。
既定は `provisioning/site/SITE.md`、根拠は `docs/sources.md` の Retention。
期間を過ぎた記録は毎晩 `hiroba retention run`（端末）と `hiroba cityhall tidy`（市役所）が消し、
件数を監査記録に残します。
職員がまだ決めていない記録（結果の分からない交付、返金の残り、警報）は、決まるまで消えません。

Where Hiroba keeps what of whom, why, how long, and who can see it.

## 人にかかわるもの / about people

| どこ / where | 何 / what | なぜ / why | いつまで / how long | だれが / who |
|---|---|---|---|---|
"""
_NOBODY = """
## 人にかかわらないもの / about nobody

| どこ / where | 何 / what |
|---|---|
"""


def page() -> str:
    """docs/personal_data.md."""
    what = {one: f"| `STATE/{one.place}` | {one.what_ja}<br>{one.what_en} |" for one in data_map()}
    people = [f"{said} {one.why} | {one.age} | {one.who} |\n" for one, said in what.items() if one.personal]
    others = [f"{said}\n" for one, said in what.items() if not one.personal]
    return "".join([_HEAD, *people, _NOBODY, *others])
