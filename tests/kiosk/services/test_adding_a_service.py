"""A third service is its own folder and one row: put into a copy of the kiosk, it works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from kiosk.services import ROWS

ROOT = Path(__file__).parents[3]
OPINION = Path(__file__).parent / "opinion"
CACHES = shutil.ignore_patterns("__pycache__")
SHAPE = {"__init__.py", "service.py", "journey.py", "state.py", "screens", "templates", "locale"}
VISIT = """
import re, sys
from pathlib import Path
from device.card.virtual.pki import TestPki
from kiosk.settings import KioskSettings
from kiosk.simulator import KioskSimulator

folder = Path(sys.argv[1])
names = ["certificates", "plaza", "opinion"]
client = KioskSimulator(folder, TestPki(folder), settings=KioskSettings(services=names)).kiosk.app.test_client()
for path in ("/home/start", "/services/opinion", "/opinion/say"):
    page = client.get("/", follow_redirects=True).get_data(as_text=True)
    client.post(path, data={"token": re.findall(r'name="token" value="([^"]*)"', page)[0], "said": "yes"})
page = client.get("/", follow_redirects=True).get_data(as_text=True)
print(*re.findall(r'data-service="([^"]*)" data-screen="([^"]*)"', page)[0])
"""


def files(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder``, caches left out."""
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_a_third_service_needs_its_folder_and_one_row(tmp_path: Path) -> None:
    copy = shutil.copytree(ROOT / "kiosk", tmp_path / "tree" / "kiosk", ignore=CACHES)
    before = files(copy)
    shutil.copytree(OPINION, copy / "services" / "opinion", ignore=CACHES)
    rows = copy / "services" / "__init__.py"
    rows.write_text(rows.read_text("utf-8").replace('    "plaza",\n', '    "plaza",\n    "opinion",\n'), "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "tree"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", VISIT, str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert (done.stdout.split(), done.returncode) == (["opinion", "opinion_thanks"], 0), done.stderr
    changed = {name for name, content in files(copy).items() if before.get(name) != content}
    assert {name for name in changed if not name.startswith("services/opinion/")} == {"services/__init__.py"}


def test_every_service_has_the_same_shape() -> None:
    folders = {path.name for path in (ROOT / "kiosk" / "services").iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders == set(ROWS)
    for folder in (*(ROOT / "kiosk" / "services" / name for name in ROWS), OPINION):
        assert {path.name for path in folder.iterdir()} >= SHAPE, folder


def test_no_file_of_the_kiosk_outside_a_service_knows_it_by_its_package() -> None:
    """The one exception is the kiosk's database: a migration stays where it came, in order, for ever."""
    outside = [path for path in (ROOT / "kiosk").rglob("*.py") if "services" not in path.relative_to(ROOT).parts[1:2]]
    pattern = re.compile(rf"kiosk\.services\.(?:{'|'.join(ROWS)})")
    knowing = [path.relative_to(ROOT).as_posix() for path in outside if pattern.search(path.read_text("utf-8"))]
    assert knowing == ["kiosk/schema.py"]


def test_the_shell_names_no_service_in_code_words_or_pages() -> None:
    """An icon may bear the same word: it is a picture that any service may use."""
    shell = [path for path in (ROOT / "kiosk" / "shell").rglob("*") if path.suffix in (".py", ".html", ".js", ".css")]
    pattern = re.compile(rf"(?<!icon-)(?<!icons/)\b(?:{'|'.join(ROWS)})\b")
    assert shell
    assert [path.name for path in shell if pattern.search(path.read_text("utf-8"))] == []
