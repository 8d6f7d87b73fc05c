"""Makes a bundle from a commit: its tree, and a wheel of every package in its lock file. Same commit, same bytes.

Wheels are fetched by pip against the lock's hashes. What has no wheel is compiled here, without build paths and dates:
so a bundle is made on the kind of machine that it is for.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from provisioning.box.install.slot import FILES, TREE, goes_on_boxes
from provisioning.updates import archive, sbom
from provisioning.updates.errors import BuildFailed
from provisioning.updates.manifest import Manifest, this_platform
from provisioning.updates.schemas import read as read_schemas

_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet")


def build(checkout: Path, out: Path, commit: str = "HEAD", pip_options: Sequence[str] = ()) -> tuple[Path, Manifest]:
    """The bundle of ``commit`` in folder ``out``. pip_options: for its index. Raises BuildFailed."""
    found, moment = _git(checkout, "log", "-1", "--format=%H %ct", commit).decode().split()
    with tempfile.TemporaryDirectory(prefix="hiroba-bundle-") as temporary:
        tree, wheels = Path(temporary, "tree"), Path(temporary, "wheels")
        _export(checkout, found, tree)
        collect_wheels(tree / "requirements.lock", wheels, int(moment), pip_options)
        _add_sbom(tree, int(moment))
        version = tomllib.loads((tree / "pyproject.toml").read_text("utf-8"))["project"]["version"]
        manifest = Manifest(
            version=version, commit=found, platform=this_platform(), built=int(moment), schemas=read_schemas(tree)
        )
        return put_together(tree, wheels, manifest, out), manifest


def _add_sbom(tree: Path, moment: int) -> None:
    """The lists of components and licences, as files of the tree. A tree from before they were made has none."""
    if (tree / sbom.COMPONENTS).exists():
        sbom.write(tree, tree, moment)


def put_together(tree: Path, wheels: Path, manifest: Manifest, out: Path) -> Path:
    """The bundle's file from two folders."""
    files = {
        f"{part}/{name}": folder / name
        for part, folder in ((archive.TREE, tree), (archive.WHEELS, wheels))
        for name in archive.names_below(folder)
    }
    text = msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=1)
    out.mkdir(parents=True, exist_ok=True)
    target = out / manifest.file_name
    archive.pack(target, files, {archive.MANIFEST: text}, manifest.built)
    return target


def collect_wheels(lock: Path, wheels: Path, moment: int, pip_options: Sequence[str] = ()) -> None:
    """A wheel of every line of ``lock`` that is for this machine, in ``wheels``. Raises BuildFailed."""
    wheels.mkdir(parents=True)
    common = ["--no-deps", "--no-build-isolation"]
    chosen = ["--require-hashes", "-r", str(lock), "-d", str(wheels), *pip_options]
    _run("pip download", [*_PIP, "download", *common, *chosen], {})
    # Not from pip's cache: what was compiled before us may carry paths and dates.
    quiet = {"SOURCE_DATE_EPOCH": str(moment), "CFLAGS": "-g0", "PYTHONHASHSEED": "0"}
    for source in sorted(p for p in wheels.iterdir() if p.suffix != ".whl"):
        make = [*_PIP, "wheel", *common, "--no-index", "--no-cache-dir", "-w", str(wheels), str(source)]
        _run(f"pip wheel {source.name}", make, quiet)
        source.unlink()


def _export(checkout: Path, commit: str, tree: Path) -> None:
    """The committed files alone: nothing that happens to lie in the checkout gets into a bundle."""
    there = _git(checkout, "ls-tree", "--name-only", commit).decode().split()
    wanted = [name for name in (*TREE, *FILES) if name in there]
    with tarfile.open(fileobj=io.BytesIO(_git(checkout, "archive", commit, "--", *wanted))) as tar:
        for header in tar:
            wanted_here = header.isreg() and goes_on_boxes(Path(header.name))
            found = tar.extractfile(header) if wanted_here else None
            if found is not None:
                file = tree / header.name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(found.read())
                file.chmod(header.mode)


def _git(checkout: Path, *words: str) -> bytes:
    return _run(f"git {words[0]}", ["git", "-C", str(checkout), *words], {})


def _run(step: str, words: Sequence[str], environment: dict[str, str]) -> bytes:
    done = subprocess.run(words, capture_output=True, check=False, env={**os.environ, **environment})
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise BuildFailed(step=step, reason=said[-1] if said else f"exit {done.returncode}")
    return done.stdout
