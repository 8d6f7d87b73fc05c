"""Installs the application into one of two slots: our tree, and an environment of exactly what the lock file names.

    /opt/hiroba/slots/a   /opt/hiroba/slots/b   /opt/hiroba/current -> slots/a

Packages are copied from the environment that runs this, so nothing is fetched and a box gets the very bytes that were
verified against the lock file's hashes. A slot that is half made is never current.
"""

from __future__ import annotations

import compileall
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from device.files import atomic_symlink
from provisioning.box.install.modes import readable_by_all

TREE = ("device", "kiosk", "captive_portal", "provisioning", "systemd")
FOR_DEVELOPERS = ("provisioning/bench", "provisioning/demo")
"""Folders of the tree that no box gets."""
FILES = ("hiroba", "pyproject.toml", "requirements.lock", "LICENSE", "README.md", "README.ja.md")
_NAME = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
_COMMAND = """#!{python} -IB
from provisioning.cli import main

main()
"""


def locked_distributions(lock: str) -> list[str]:
    """The distributions a lock file names."""
    return sorted(set(_NAME.findall(lock)))


def next_slot(application: Path) -> Path:
    """The slot that ``current`` does not name."""
    current = application / "current"
    return application / "slots" / ("b" if current.is_symlink() and current.readlink().name == "a" else "a")


def fill(slot: Path, source: Path) -> None:
    """Make ``slot`` anew from the tree at ``source`` and the packages of this process."""
    with readable_by_all():
        _fill(slot, source)


def _fill(slot: Path, source: Path) -> None:
    shutil.rmtree(slot, ignore_errors=True)
    slot.mkdir(parents=True)
    copy_tree(source, slot)
    _environment(slot, (source / "requirements.lock").read_text("utf-8"))
    for name in TREE[:-1]:
        compileall.compile_dir(slot / name, quiet=1)


def copy_tree(source: Path, slot: Path) -> None:
    """Everything of the tree at ``source`` that a box gets."""
    for path in tree_files(source):
        (slot / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / path, slot / path)


def tree_files(source: Path) -> list[Path]:
    """The files that a box gets, relative to ``source``: without tests, byte code, hidden files, developers' rooms."""
    single = [Path(name) for name in FILES if (source / name).is_file()]
    below = [path.relative_to(source) for name in TREE for path in (source / name).rglob("*") if path.is_file()]
    return sorted(path for path in [*single, *below] if goes_on_boxes(path))


def goes_on_boxes(path: Path) -> bool:
    """Whether a file of TREE or FILES is for boxes. path: relative to the source."""
    if any(path.is_relative_to(folder) for folder in FOR_DEVELOPERS):
        return False
    return path.suffix != ".pyc" and not any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def make_current(slot: Path) -> None:
    """One rename: before it the old slot runs, after it the new one. What staff install by hand is good as well
    (provisioning.updates.slots), and ends what an update had left open.
    """
    os.sync()  # the slot's files reach the card before the name that leads to them
    for name in ("current", "good"):
        atomic_symlink(slot.parents[1] / name, Path("slots") / slot.name)
    for note in ("trial.json", "filling.json"):
        (slot.parents[1] / "updates" / note).unlink(missing_ok=True)


def _environment(slot: Path, lock: str) -> None:
    venv = slot / ".venv"
    base = getattr(sys, "_base_executable", sys.executable)
    subprocess.run([base, "-m", "venv", "--without-pip", str(venv)], check=True)
    packages = venv / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    for name in locked_distributions(lock):
        _copy(name, packages)
    (packages / "hiroba.pth").write_text(f"{slot}\n")
    write_version(packages, tomllib.loads((slot / "pyproject.toml").read_text("utf-8"))["project"]["version"])
    command = venv / "bin" / "hiroba"
    command.write_text(_COMMAND.format(python=venv / "bin" / "python"))
    command.chmod(0o755)


def write_version(packages: Path, version: str) -> None:
    """What ``hiroba --version`` reads: of the tree that stands there, whatever the environment was made for."""
    record = packages / f"hiroba-{version}.dist-info" / "METADATA"
    record.parent.mkdir(parents=True)
    record.write_text(f"Metadata-Version: 2.1\nName: hiroba\nVersion: {version}\n")


def _copy(name: str, packages: Path) -> None:
    """One distribution's files; a line of the lock for another platform is not installed here and left out."""
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return
    for file, origin in _files(found):
        (packages / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(origin, packages / file)


def _files(found: importlib.metadata.Distribution) -> Iterator[tuple[Path, Path]]:
    for file in found.files or []:
        origin = Path(str(found.locate_file(file)))
        if ".." not in file.parts and origin.is_file():
            yield Path(*file.parts), origin
