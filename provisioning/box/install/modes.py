"""Installed files are readable by all processes, whatever umask the installer runs under (units: 0077)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def readable_by_all() -> Iterator[None]:
    """New folders are 0755 and new files 0644 in this block. For a process with one thread."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)
