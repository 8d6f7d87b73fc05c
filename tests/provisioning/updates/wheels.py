"""A tiny Python package as a wheel and as source, a checkout like ours."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
import zipfile
from pathlib import Path

PROJECT = '[project]\nname = "hiroba"\nversion = "{version}"\n'
CLI = """import sys
import plazaword
from pathlib import Path


def main() -> None:
    version = (Path(__file__).parents[1] / "README.md").read_text().strip()
    print(version, plazaword.WORD)
    sys.exit(version.startswith("ill"))
"""
SOURCE_PROJECT = """[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "plazasource"
version = "1.0"
[tool.setuptools]
py-modules = ["plazasource"]
"""


def tiny_wheel(folder: Path) -> Path:
    """``plazaword`` 1.0, a pure package with one module."""
    info = "plazaword-1.0.dist-info"
    wheel = folder / "plazaword-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("plazaword.py", 'WORD = "hiroba"\n')
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: plazaword\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
        archive.writestr("plazaword-1.0.data/purelib/plazaextra.py", "EXTRA = 1\n")
        archive.writestr("plazaword-1.0.data/scripts/plazatool", "#!python\n")
    return wheel


def tiny_source(folder: Path) -> Path:
    """``plazasource`` 1.0, which has no wheel and is made here, as pyscard is."""
    file = folder / "plazasource-1.0.tar.gz"
    texts = {"pyproject.toml": SOURCE_PROJECT, "plazasource.py": "MADE = True\n", "PKG-INFO": pkg_info("plazasource")}
    with tarfile.open(file, "w:gz") as archive:
        for name, text in texts.items():
            header = tarfile.TarInfo(f"plazasource-1.0/{name}")
            header.size = len(text)
            archive.addfile(header, io.BytesIO(text.encode()))
    return file


def pkg_info(name: str) -> str:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"


def lock_line(file: Path) -> str:
    name, version = file.name.split("-")[:2]
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return f"{name}=={version.removesuffix('.tar.gz')} --hash=sha256:{digest}\n"


def commit_checkout(folder: Path, packages: Path, version: str) -> Path:
    """A commit of a checkout whose ``hiroba`` says its version and fails when that begins with ``ill``."""
    files = {
        "pyproject.toml": PROJECT.format(version="0.1.0"),
        "README.md": f"{version}\n",
        "requirements.lock": "".join(lock_line(file) for file in sorted(packages.iterdir())),
        "provisioning/__init__.py": "",
        "provisioning/cli.py": CLI,
        "systemd/README.md": "units\n",
        "tests/secret.txt": "not for boxes\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=TEST", "-c", "user.email=test@example.jp", "commit", "-q", "-m", version)
    return folder


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)
