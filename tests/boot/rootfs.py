"""A Debian root with this project's environment in it, made once and kept as a tar; each run unpacks its own.

Where packages come from is read from this machine at run time: its apt sources and settings, its pip settings, its CA
certificates. The tar is keyed by all that goes into it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("HIROBA_TEST_CACHE", "/var/cache/hiroba-tests"))
SECTIONS = ("base", "run", "box", "demo")
EXTRA = ("systemd", "systemd-sysv", "dbus", "ca-certificates", "procps", "udhcpc")
"""What a Debian system has anyway, and a phone's DHCP client."""
SOURCE = "srv/hiroba"
PIP_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT")
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def unpacked(suite: str, target: Path) -> Path:
    """A fresh root of ``suite`` at ``target``, with today's tree at /srv/hiroba and its environment set up."""
    target.mkdir(parents=True)
    subprocess.run(["tar", "-C", target, "-xf", _kept(suite)], check=True)
    _lay_tree(target)
    return target


def inside(root: Path, *words: str) -> str:
    """Run a command in the root, with this machine's network, as its container's only process. What it said."""
    environment = {"PIP_CERT": CA_BUNDLE, **{n: os.environ[n] for n in PIP_VARIABLES if n in os.environ}}
    command = [
        *("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--as-pid2", "--resolv-conf=copy-host"),
        *("--directory", str(root), *(f"--setenv={name}={value}" for name, value in environment.items())),
        *("--setenv=PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "--", *words),
    ]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def _kept(suite: str) -> Path:
    """Debian and our environment; when only the lock file has changed, Debian's part is not made again."""
    debian = f"{suite} {' '.join(_packages())}"
    with_ours = debian + (REPO / "requirements.lock").read_text("utf-8")
    return _tar(f"{suite}-ours", with_ours, lambda work: _add_ours(work, _tar(suite, debian, partial(_make, suite))))


def _tar(name: str, made_of: str, make: Callable[[Path], None]) -> Path:
    """The tar called ``name``, made anew when what it is made of has changed."""
    key = hashlib.sha256(made_of.encode() + Path(__file__).read_bytes()).hexdigest()[:16]
    tar = CACHE / f"{name}-{key}.tar"
    if tar.exists():
        return tar
    CACHE.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=CACHE))
    try:
        make(work)
        fresh = work.with_suffix(".new")
        subprocess.run(["tar", "-C", work, "-cf", fresh, "."], check=True)
        for old in CACHE.glob(f"{name}-" + "?" * 16 + ".tar"):
            old.unlink()
        fresh.replace(tar)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return tar


def _make(suite: str, work: Path) -> None:
    options = [f"--aptopt={line}" for line in _apt_settings()]
    packages = f"--include={','.join(_packages())}"
    sources = [str(file) for file in _sources(suite, CACHE)]
    command = ["mmdebstrap", "--quiet", "--variant=minbase", "--format=directory", packages, *options]
    subprocess.run([*command, suite, str(work), *sources], check=True, stdin=subprocess.DEVNULL)
    work.chmod(0o755)
    shutil.rmtree(work / "usr/share/man", ignore_errors=True)


def _add_ours(work: Path, debian: Path) -> None:
    subprocess.run(["tar", "-C", work, "-xf", debian], check=True)
    for name in (CA_BUNDLE, "/etc/pip.conf"):
        if Path(name).exists():
            shutil.copyfile(name, work / name.lstrip("/"))
    _lay_tree(work)
    inside(work, "/bin/sh", "-c", f"cd /{SOURCE} && ./hiroba run --set-up-only")
    shutil.rmtree(work / "root/.cache", ignore_errors=True)


def _lay_tree(root: Path) -> None:
    """The tree as it is now, without what git ignores; the environment beside it stays."""
    target = root / SOURCE
    if target.exists():
        for entry in target.iterdir():
            if entry.name != ".venv":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    listed = ["git", "-C", str(REPO), "ls-files", "-coz", "--exclude-standard"]
    for name in subprocess.run(listed, check=True, capture_output=True).stdout.decode().split("\0"):
        if name and (REPO / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPO / name, target / name)


def _packages() -> list[str]:
    found, section = [], ""
    for line in (REPO / "provisioning/packages.txt").read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#") and section in SECTIONS:
            found.append(line.split("|")[0].strip())
    return sorted({*EXTRA, *found})


def _apt_settings() -> list[str]:
    told = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout
    return [line for line in told.splitlines() if line.startswith("Acquire") and not line.endswith(' "";')]


def _sources(suite: str, folder: Path) -> list[Path]:
    """This machine's Debian sources, for ``suite``."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    own = release["VERSION_CODENAME"].strip('"')
    listed = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    found = []
    for file in listed:
        if file.suffix in (".list", ".sources") and file.exists() and re.search(rf"\b{own}\b", file.read_text()):
            changed = folder / f"{suite}-{file.name}"
            changed.write_text(re.sub(rf"\b{own}\b", suite, file.read_text()))
            found.append(changed)
    assert found, f"no apt source of this machine names {own}"
    return found
