"""The version of Hiroba that runs, as its distribution says it."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """``project.version`` of pyproject.toml as it was installed, e.g. "1.4.0". Raises PackageNotFoundError when
    Hiroba was not installed at all."""
    return metadata.version("hiroba")
