"""The house rules that a machine can check: sizes, names, one vendor library in one room, docstrings, locks."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("device", "kiosk", "captive_portal", "provisioning")
PRODUCT = sorted(p for room in ROOMS for p in (ROOT / room).rglob("*.py"))
EVERYTHING = PRODUCT + sorted((ROOT / "tests").rglob("*.py"))
ATTICS = {"utils", "util", "helper", "helpers", "manager", "common", "data", "misc"}

VENDORS = {
    "smartcard": {"device/card/pcsc.py"},
    "escpos": {"device/printer/receipt_printer.py", "provisioning/bench/escpos_peer.py"},
    "netifaces": {"device/network.py"},
    "gunicorn": {"provisioning/web/gunicorn_server.py"},
    "tuf": {"provisioning/updates/client.py", "provisioning/updates/repository.py"},
    "securesystemslib": {"provisioning/updates/repository.py"},
    "typst": {"device/typst_compiler.py"},
    "yaml": {"provisioning/box/seed/cloud.py"},
    "uharfbuzz": {"device/opentype.py"},
    "cbor2": {"kiosk/issuer/seal/cose.py"},
    "zxingcpp": {"device/qr.py"},
    "PIL": {"device/printer/picture.py", "provisioning/bench/escpos_peer.py"},
    "pypdfium2": {"device/printer/pdf_drawing.py"},
    "pyrage": {"provisioning/backup/age.py"},
    "pygal": {"captive_portal/stats/chart.py"},
}
"""Vendor library -> the one file that may import it."""


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", EVERYTHING, ids=name)
def test_a_file_has_at_most_400_lines_and_a_function_50(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= 400
    long = [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > 50 + docstring_lines(node)
    ]
    assert long == []


def docstring_lines(node: ast.FunctionDef) -> int:
    return len((ast.get_docstring(node) or "").splitlines())


@pytest.mark.parametrize("path", PRODUCT, ids=name)
def test_a_module_says_what_it_is(path: Path) -> None:
    assert len(ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "") > 20


@pytest.mark.parametrize("path", EVERYTHING, ids=name)
def test_no_room_is_an_attic(path: Path) -> None:
    assert not ATTICS & {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}


@pytest.mark.parametrize("path", PRODUCT, ids=name)
def test_a_vendor_library_has_one_importer(path: Path) -> None:
    here = imported(ast.parse(path.read_text("utf-8")))
    assert [v for v, rooms in VENDORS.items() if v in here and name(path) not in rooms] == []


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("test_*.py")), ids=name)
def test_tests_do_not_patch_our_modules(path: Path) -> None:
    banned = ("mock" + ".patch", "monkeypatch" + ".setattr", "pytest" + ".mark.xfail", "unittest" + ".mock")
    assert [word for word in banned if word in path.read_text("utf-8")] == []


def test_every_top_folder_has_a_readme() -> None:
    for room in ROOMS:
        assert (ROOT / room / "README.md").exists(), room
    assert (ROOT / "systemd" / "README.md").exists()
    assert (ROOT / "tests" / "README.md").exists()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_dependency_is_locked_with_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    locked = {m[1].lower(): m[2] for m in re.finditer(r"^([\w.-]+)==([^\n]*(?:\n {4}[^\n]*)*)", text, re.MULTILINE)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = project["dependencies"] + (project["optional-dependencies"]["dev"] if "dev" in lock else [])
    assert {re.split(r"[<>=\[ ]", w)[0].lower() for w in wanted} <= locked.keys()
    assert [n for n, rest in locked.items() if "--hash=sha256:" not in rest] == []


def test_the_distribution_that_only_calls_itself_escpos_is_not_used() -> None:
    # docs/sources.md#python-escpos: "escpos" on the package index is another project than python-escpos.
    for lock in ("requirements.lock", "requirements-dev.lock"):
        assert not re.search(r"^escpos==", (ROOT / lock).read_text("utf-8"), re.MULTILINE)


def test_pages_and_templates_load_nothing_from_elsewhere() -> None:
    pages = [p for room in ROOMS for end in ("html", "css", "js") for p in (ROOT / room).rglob(f"*.{end}")]
    assert pages
    foreign = [
        name(p) for p in pages if re.search(r"(?:src|href|url\()\s*=?\s*[\"'(]?\s*(?:https?:)?//", p.read_text("utf-8"))
    ]
    assert foreign == []


def test_no_private_key_stands_in_the_tree() -> None:
    begin = "-----BEGIN " + "PRIVATE KEY"
    texts = [
        p for p in ROOT.rglob("*") if p.suffix in {".py", ".pem", ".key", ".toml", ".md"} and ".venv" not in p.parts
    ]
    assert [name(p) for p in texts if p.is_file() and begin in p.read_text("utf-8", "replace")] == []
