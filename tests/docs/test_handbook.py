"""Every step of the handbook (docs/運用) works as it is written, from nothing to the last how-to."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.handbook import ROOT, Machine, Step, steps

HANDBOOK = ROOT / "docs" / "運用"
PAGES = [HANDBOOK / "最初のひろばまで.md", HANDBOOK / "手順.md"]
MACHINES = {"市役所": "hall", "端末": "box", "予備機": "spare"}
SAID = [
    "OK city.toml",
    "登録済み / enrolled: hiroba-1",
    "真正 / genuine",
    "接続中 1 台",
    "控えを戻しました",
    "15 枚を無効にしました",
    "ブロック中 1 台",
    "災害モード：訓練",
    "記録しました",
    "失効 / revoked",
    "抹消証明書",
    "request_resolved",
    "接続記録 1 件",
    "を失効にしました",
    "の結び付けを終えました",
    "承認し、実行しました：支援措置の解除",
    "却下しました",
    "解除しました / released: hiroba-1",
    "回復用の鍵",
]
"""What a reader sees on the way."""
pytestmark = [
    pytest.mark.needs(
        "root",
        "ip",
        "nft",
        "nginx",
        "openssl",
        "pcscd",
        "vpcd",
        "ipamj",
        "bizud",
        "age",
        "sqlite3",
        "ssh-keygen",
        "cryptsetup",
    ),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Machine]]:
    folder = tmp_path_factory.mktemp("handbook")
    space = f"hb{os.getpid():x}"
    subprocess.run(["ip", "netns", "add", space], check=True)
    subprocess.run(["ip", "-n", space, "link", "set", "lo", "up"], check=True)
    made: dict[str, Machine] = {}
    try:
        for name, short in MACHINES.items():
            made[name] = Machine(name, space, folder / short)
        yield made
    finally:
        for machine in made.values():
            machine.close()
        subprocess.run(["ip", "netns", "delete", space], check=True)


def test_every_step_runs_in_the_order_of_the_book(machines: dict[str, Machine]) -> None:
    book = [step for page in PAGES for step in steps(page)]
    said = {f"{step.page}:{step.line}": machines[step.machine].run(step) for step in book}
    every = "\n".join(said.values())
    assert sum(step.typed for step in book) >= 40
    assert [words for words in SAID if words not in every] == []


def test_a_step_that_is_not_run_says_why_before_it() -> None:
    """Within four lines before each block that no test runs, or in its own first line."""
    reason = re.compile(r"実機|systemd|ブラウザー|ネットワーク")
    bare = [
        f"{page.name}:{number + 1}"
        for page in HANDBOOK.glob("*.md")
        for lines in [page.read_text("utf-8").split("\n")]
        for number, line in enumerate(lines)
        if line.startswith("```console") and not reason.search("".join(lines[max(0, number - 4) : number + 2]))
    ]
    assert bare == []


def test_a_step_that_fails_is_told_with_its_place(machines: dict[str, Machine]) -> None:
    with pytest.raises(AssertionError, match=r"page\.md:7"):
        machines["端末"].run(Step("page.md", 7, "端末", "false\n", typed=True))


def test_every_page_is_reached_from_the_first() -> None:
    first = (HANDBOOK / "README.md").read_text("utf-8")
    others = {page.name for page in HANDBOOK.glob("*.md")} - {"README.md"}
    assert {name for name in others if f"({name})" not in first} == set()


def test_no_page_names_what_a_reader_may_not_have() -> None:
    """No step needs a folder of one developer."""
    assert [p.name for p in HANDBOOK.glob("*.md") if re.search(r"/home/|\.venv", p.read_text("utf-8"))] == []


def test_steps_are_found_in_their_order(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n```sh 端末\none\n```\n<!-- 試験 市役所\ntwo\n-->\n```console\nthree\n```\n", "utf-8")
    assert [(s.line, s.machine, s.script, s.typed) for s in steps(page)] == [
        (2, "端末", "one\n", True),
        (5, "市役所", "two\n", False),
    ]
