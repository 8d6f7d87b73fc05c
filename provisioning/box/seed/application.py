"""The application as one file beside the seed: the same tree gives the same bytes."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

from provisioning.box.install.slot import tree_files


def archive(source: Path) -> bytes:
    """hiroba.tar.gz of the tree at ``source``: what a box installs from, without caches, times and owners."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream, tarfile.open(fileobj=stream, mode="w") as tar:
        for path in tree_files(source):
            tar.add(source / path, str(path), recursive=False, filter=_plain)
    return packed.getvalue()


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = "root"
    member.mode = 0o755 if member.mode & 0o100 else 0o644
    return member
