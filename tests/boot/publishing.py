"""The publisher of the update drill: whole bundles of today's tree with a change in them, signed by TEST keys.

The wheels are collected once, in a root of the box's kind as ``hiroba bundle build`` does it there, and kept beside the
roots, keyed by the lock file.
"""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from provisioning.box.install.slot import FILES, TREE, goes_on_boxes
from provisioning.updates.build import put_together
from provisioning.updates.manifest import Manifest, Offer
from provisioning.updates.repository import Repository
from provisioning.updates.schemas import read
from tests.boot.rootfs import CACHE, REPO, SOURCE, inside, unpacked
from tests.provisioning.updates.city import TO_ALL, tiny_bundle

COLLECT = f"""
from pathlib import Path
from provisioning.updates.build import collect_wheels
collect_wheels(Path("/{SOURCE}/requirements.lock"), Path("/srv/wheels"), 0)
"""
Change = Callable[[Path], None]
"""Makes a release different from the one before: given the tree of a bundle."""


def wheels(suite: str = "bookworm") -> Path:
    """Everything that the lock file names, for a box of ``suite``."""
    key = hashlib.sha256(suite.encode() + (REPO / "requirements.lock").read_bytes()).hexdigest()[:16]
    kept = CACHE / f"{suite}-wheels-{key}"
    if kept.is_dir():
        return kept
    work = Path(tempfile.mkdtemp(prefix=f"{suite}-wheels-", dir=CACHE))
    try:
        root = unpacked(suite, work / "root")
        inside(root, f"/{SOURCE}/.venv/bin/python", "-c", COLLECT)
        for old in CACHE.glob(f"{suite}-wheels-" + "?" * 16):
            shutil.rmtree(old)
        (root / "srv/wheels").rename(kept)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return kept


def box_platform() -> str:
    """As ``provisioning.updates.manifest.this_platform`` says it on the box, whose Debian may be another than ours."""
    (interpreter,) = {found[1] for wheel in wheels().iterdir() if (found := re.search(r"-(cp\d+)-\1-", wheel.name))}
    return f"{interpreter}-{platform.machine()}"


def bundle(folder: Path, version: str, change: Change) -> Path:
    """Today's tree, called ``version``, after ``change``."""
    tree = folder / f"tree-{version}"
    listed = ["git", "-C", str(REPO), "ls-files", "-coz", "--exclude-standard", "--", *TREE, *FILES]
    for name in subprocess.run(listed, check=True, capture_output=True).stdout.decode().split("\0"):
        if name and goes_on_boxes(Path(name)) and (REPO / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPO / name, tree / name)
    change(tree)
    commit = hashlib.sha256(version.encode()).hexdigest()[:40]
    manifest = Manifest(version=version, commit=commit, platform=box_platform(), built=0, schemas=read(tree))
    made = put_together(tree, wheels(), manifest, folder / "out")
    shutil.rmtree(tree)
    return made


def publish(repository: Repository, version: str, change: Change) -> Offer:
    """The next release, for every box at once."""
    made = bundle(repository.folder.parent, version, change)
    offer = repository.publish(made, TO_ALL)
    made.unlink()
    return offer


def publish_tiny(repository: Repository, version: str) -> Offer:
    """One that must never come to be unpacked."""
    return repository.publish(tiny_bundle(repository.folder.parent, version, box_platform()), TO_ALL)
