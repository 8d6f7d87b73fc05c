"""No document and no comment refers to what the tree lacks: files, headings, sources of facts, invariants."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = {".py", ".md", ".toml", ".typ", ".html", ".css", ".js", ".conf", ".service", ".txt", ".yml", ".yaml"}
TOP = "device|kiosk|captive_portal|provisioning|systemd|tests|docs"
OF_THE_TREE = re.compile(rf"^(?:(?:{TOP})/\S*|\S+\.(?:py|md|typ))$")
IN_CODE = re.compile(rf"(?<![\w/.-])((?:(?:{TOP})/)?[\w/-]*\w\.md|(?:{TOP})/[\w/.-]+\.py)\b")
A_PATTERN = re.compile(r"[*<>{}$…]|NAME|UNIT|SPOT|DAY|DIR\b|::")
ON_A_BOX = {"systemd/timesyncd.conf.d/hiroba.conf"}
"""Below /etc of a box, in a table of such files."""
GONE = re.compile(r"\bfacts" + r"/|\bfacts §|\bDESIG" + r"N\b")


def tracked(*suffixes: str) -> list[Path]:
    skipped = {"out", "build", "dist", "fixtures", "__pycache__"}
    inside = [p for p in ROOT.rglob("*") if p.suffix in suffixes and p.is_file()]
    return sorted(
        p
        for p in inside
        if not skipped & set(p.relative_to(ROOT).parts) and not any(q[0] == "." for q in p.relative_to(ROOT).parts)
    )


def lines(path: Path) -> Iterator[tuple[int, str]]:
    yield from enumerate(path.read_text("utf-8").split("\n"), 1)


def complaints(paths: list[Path], judge: Callable[[Path, str], list[str]]) -> str:
    return "\n".join(
        f"{path.relative_to(ROOT)}:{number}: {what}"
        for path in paths
        for number, line in lines(path)
        for what in judge(path, line)
    )


def none(found: str) -> None:
    assert not found, f"\n{found}"


@cache
def headings(path: Path) -> frozenset[str]:
    """The anchors of a page, as a Git host makes them from its headings."""
    found = re.findall(r"^#+ +(.+)$", path.read_text("utf-8"), re.MULTILINE)
    return frozenset(re.sub(r"[^\w -]", "", h.lower()).strip().replace(" ", "-") for h in found)


def stands(path: Path, name: str) -> bool:
    """Whether ``name`` in ``path`` is a file: from its folder or one above; a bare name also anywhere below its folder,
    or when several rooms have a file of that name, as a shape's files do, and in code or of a test wherever it stands.
    """
    if any((above / name).exists() for above in path.parents if above == ROOT or ROOT in above.parents):
        return True
    places = named(name) if "/" not in name else frozenset()
    below = ROOT if ROOT / "docs" in path.parents else path.parent
    return len(places) > 1 or any(path.suffix != ".md" or "tests" in p.parts or below in p.parents for p in places)


@cache
def named(name: str) -> frozenset[Path]:
    return frozenset(p for top in TOP.split("|") for p in (ROOT / top).rglob(name))


def broken_link(path: Path, line: str) -> list[str]:
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", line):
        name, _, anchor = target.partition("#")
        if ":" in target:
            continue
        page = path.parent / name if name else path
        if not page.exists():
            found.append(f"link to {target}: no such file")
        elif page.is_file() and not page.stat().st_size:
            found.append(f"link to {target}: an empty file")
        elif anchor and anchor not in headings(page):
            found.append(f"link to {target}: no such heading")
    return found


def missing_path(path: Path, line: str) -> list[str]:
    names = [n.split("#")[0].removesuffix("/") for n in re.findall(r"`([^`\s]+)`", line)]
    ours = [n for n in names if OF_THE_TREE.match(n) and not A_PATTERN.search(n) and n not in ON_A_BOX]
    return [f"`{name}`: no such file" for name in ours if not stands(path, name)]


def missing_page(path: Path, line: str) -> list[str]:
    found = [n for n in IN_CODE.findall(line.replace("file:///opt/hiroba/current/", "")) if not A_PATTERN.search(n)]
    if "tests" in path.parts:  # they make trees of their own
        found = [name for name in found if re.match(rf"(?:{TOP})/", name)]
    return [f"{name}: no such file" for name in found if not stands(path, name)]


def missing_source(_path: Path, line: str) -> list[str]:
    cited = re.findall(r"docs/sources\.md#([\w-]+)", line)
    return [f"docs/sources.md#{a}: no such heading" for a in cited if a not in headings(ROOT / "docs/sources.md")]


@cache
def invariants() -> frozenset[str]:
    return frozenset(re.findall(r"^\| (N\d+) \|", (ROOT / "ARCHITECTURE.md").read_text("utf-8"), re.MULTILINE))


def test_every_link_of_a_document_leads_to_a_file_and_a_heading() -> None:
    none(complaints(tracked(".md"), broken_link))


def test_every_path_that_a_document_names_is_in_the_tree() -> None:
    none(complaints(tracked(".md"), missing_path))


def test_every_page_and_module_that_any_text_names_is_in_the_tree() -> None:
    none(complaints([p for p in tracked(*TEXT) if p != Path(__file__)], missing_page))


def test_every_source_of_a_fact_that_is_cited_has_its_heading() -> None:
    none(complaints([p for p in tracked(*TEXT) if p != Path(__file__)], missing_source))


def test_nothing_cites_a_file_that_the_repository_never_had() -> None:
    def gone(_path: Path, line: str) -> list[str]:
        return [
            f"{m[0]!r} is not in the repository; cite docs/sources.md or ARCHITECTURE.md" for m in GONE.finditer(line)
        ]

    none(complaints(tracked(*TEXT), gone))


def test_every_invariant_that_is_cited_stands_in_the_architecture() -> None:
    def unknown(_path: Path, line: str) -> list[str]:
        return [f"{n}: not in ARCHITECTURE.md" for n in re.findall(r"\bN\d{1,2}\b", line) if n not in invariants()]

    assert invariants() == {f"N{n}" for n in range(1, 17)}
    none(complaints(tracked(*TEXT), unknown))


@pytest.mark.parametrize(
    ("line", "judge"),
    [
        ("see [this](nowhere.md)", broken_link),
        ("see [this](README.md#no-such-heading)", broken_link),
        ("in `kiosk/no_such_file.py`", missing_path),
        ("in `no_such_file.py`", missing_path),
        ("as docs/sources.md#no-such-heading says", missing_source),
        ("as kiosk/no_such_page.md says", missing_page),
    ],
)
def test_a_reference_to_nothing_is_found(line: str, judge: Callable[[Path, str], list[str]]) -> None:
    assert len(judge(ROOT / "README.md", line)) == 1
