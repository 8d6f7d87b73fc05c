"""What a bundle says of itself, and what the repository says of a bundle. Pure.

The release number orders bundles and stands in the signed metadata only: the same input stays the same bytes.
"""

from __future__ import annotations

import platform as machine
import sys

import msgspec

from device.migrations import Schema
from provisioning.updates.waves import Wave


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """``manifest.json`` in the bundle. platform: see ``this_platform``; built: seconds since 1970 of the commit;
    schemas: see provisioning.updates.schemas.
    """

    version: str
    commit: str
    platform: str
    built: int
    schemas: dict[str, Schema] = {}

    @property
    def file_name(self) -> str:
        """The bundle's name, e.g. ``hiroba-0.1.0-1a2b3c4-cp311-aarch64.tar``."""
        return f"hiroba-{self.version}-{self.commit[:7]}-{self.platform}.tar"


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """The ``custom`` part of a TUF target. release: counts up by one a publication and never down."""

    release: int
    version: str
    commit: str
    platform: str
    wave: Wave
    schemas: dict[str, Schema] = {}


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """``release.json`` in a slot: what is installed there. release 0: installed by hand, not by a bundle."""

    release: int = 0
    version: str = ""
    commit: str = ""


def this_platform() -> str:
    """Interpreter and processor, e.g. ``cp311-aarch64``: what compiled wheels are made for."""
    return f"cp{sys.version_info.major}{sys.version_info.minor}-{machine.machine()}"
