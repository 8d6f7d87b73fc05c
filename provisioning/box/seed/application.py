"""The application as one file beside the seed: the same tree gives the same bytes."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

from provisioning.box.install.slot import FILES, TREE


def archive(source: Path) -> bytes:
    """hiroba.tar.gz of the tree at ``source``: what a box installs from, without caches, times and owners."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream, tarfile.open(fileobj=stream, mode="w") as tar:
        for path in _files(source):
            tar.add(path, str(path.relative_to(source)), recursive=False, filter=_plain)
    return packed.getvalue()


def _files(source: Path) -> list[Path]:
    single = [source / name for name in FILES if (source / name).is_file()]
    below = [path for name in TREE for path in (source / name).rglob("*") if path.is_file()]
    return sorted(path for path in [*single, *below] if not _left_out(path.relative_to(source)))


def _left_out(path: Path) -> bool:
    return path.suffix == ".pyc" or any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = "root"
    member.mode = 0o755 if member.mode & 0o100 else 0o644
    return member
