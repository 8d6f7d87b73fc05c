"""The [backup] section of the site file."""

from __future__ import annotations

from typing import Annotated

import msgspec

from device.settings import Section


class BackupSettings(Section, frozen=True, kw_only=True):
    """recipient: the city's public key (age1…), made by ``hiroba backup key``; its secret half is on no box. folder:
    where archives go, a USB stick or a share. keep: archives of this box that stay there.
    """

    recipient: str
    folder: str = ""
    keep: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 14
