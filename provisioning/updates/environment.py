"""Makes a slot from a bundle, with no network and no pip: tree, environment, packages, byte code, one command.

The slot is laid as ``hiroba install`` lays it.
"""

from __future__ import annotations

import compileall
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

from provisioning.box.install.modes import readable_by_all
from provisioning.box.install.slot import write_version
from provisioning.updates import archive
from provisioning.updates.errors import WrongPlatform
from provisioning.updates.manifest import Manifest, this_platform
from provisioning.updates.slots import COMMAND

_TEXT = """#!{python} -IB
from provisioning.cli import main

main()
"""


def fill(bundle: Path, slot: Path) -> None:
    """``slot`` is an empty folder at its final place. Raises BundleDamaged, WrongPlatform."""
    with readable_by_all():
        _fill(bundle, slot)


def _fill(bundle: Path, slot: Path) -> None:
    manifest = msgspec.json.decode(archive.read_text(bundle, archive.MANIFEST), type=Manifest)
    if manifest.platform != this_platform():
        raise WrongPlatform(platform=manifest.platform, here=this_platform())
    slot.chmod(0o755)  # it was made under our own umask
    unpacked = slot / ".bundle"
    archive.unpack(bundle, unpacked)
    for entry in sorted((unpacked / archive.TREE).iterdir()):
        entry.rename(slot / entry.name)
    packages = _environment(slot, manifest.version)
    for wheel in sorted((unpacked / archive.WHEELS).glob("*.whl")):
        archive.unpack_wheel(wheel, packages)
    shutil.rmtree(unpacked)
    # Units run with PYTHONDONTWRITEBYTECODE and a read-only slot: byte code is made here or never.
    compileall.compile_dir(slot, quiet=2, workers=0)


def _environment(slot: Path, version: str) -> Path:
    """The slot's own environment, and the folder for packages in it."""
    venv = slot / ".venv"
    base = getattr(sys, "_base_executable", sys.executable)
    subprocess.run([base, "-m", "venv", "--without-pip", str(venv)], check=True)
    packages = venv / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    (packages / "hiroba.pth").write_text(f"{slot}\n")
    write_version(packages, version)
    command = slot / COMMAND
    command.write_text(_TEXT.format(python=venv / "bin" / "python"))
    command.chmod(0o755)
    return packages
