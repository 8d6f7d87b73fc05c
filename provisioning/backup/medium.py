"""Discards (TRIM) the free blocks of the medium under a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

TRIM_SECONDS = 120


def trim(folder: Path) -> bool:
    """Discard the free blocks; whether the medium supports it."""
    program = shutil.which("fstrim", path="/usr/sbin:/sbin:/usr/bin")
    if program is None or os.geteuid() != 0:
        return False
    try:
        return _run([program, str(folder)]) == 0
    except subprocess.TimeoutExpired:
        return False


def _run(command: list[str]) -> int:
    return subprocess.run(command, check=False, capture_output=True, timeout=TRIM_SECONDS).returncode
