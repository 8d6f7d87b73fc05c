"""Programs of Debian that are not to be installed here, for they would take this machine's network over: fetched by its
own apt with what they need, unpacked into a folder, and kept there for the next run.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("HIROBA_TEST_CACHE", "/var/cache/hiroba-tests"))


@dataclass(frozen=True)
class Unpacked:
    """A folder of unpacked packages; empty where all of them are installed anyway."""

    root: Path

    def program(self, name: str) -> str:
        """The path of a program, ours before the machine's."""
        own = [self.root / where / name for where in ("usr/sbin", "usr/bin", "sbin", "bin")]
        found = next((str(path) for path in own if path.exists()), None) or shutil.which(name)
        assert found, name
        return found

    @property
    def environment(self) -> Mapping[str, str]:
        """This machine's, with the folder's libraries before its own."""
        folders = sorted({path.parent for path in self.root.rglob("*.so.*")})
        return {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, folders))} if folders else dict(os.environ)


def unpacked(package: str) -> Unpacked:
    """``package`` and whatever it needs that is not installed."""
    wanted = _missing(package)
    key = hashlib.sha256("\n".join([package, *wanted]).encode()).hexdigest()[:16]
    kept = CACHE / f"{package}-{key}"
    if not kept.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f"{package}-", dir=CACHE))
        try:
            _fetch(wanted, work)
            (work / "tree").rename(kept)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return Unpacked(kept)


def _missing(package: str) -> list[str]:
    """name=version of what apt would install."""
    command = ["apt-get", "-s", "--no-install-recommends", "install", package]
    told = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout
    return [
        f"{name}={version}" for name, version in re.findall(r"^Inst (\S+) (?:\[\S+\] )?\((\S+)", told, re.MULTILINE)
    ]


def _fetch(wanted: list[str], work: Path) -> None:
    (work / "tree").mkdir()
    if wanted:
        command = ["apt-get", "-q", "-o", "Acquire::Retries=3", "download", *wanted]
        subprocess.run(command, check=True, cwd=work, capture_output=True)
    for deb in work.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(deb), str(work / "tree")], check=True)
