"""The [backup] section of the site file."""

from __future__ import annotations

from typing import Annotated

import msgspec

from device.settings import Section

Folder = Annotated[str, msgspec.Meta(pattern=r"^(/[^\x00-\x20\x22\x24\x25\x27\x5c\x7f]*)?(?![\s\S])")]
""""" or an absolute path; it stands in a drop-in of a unit that root runs, so no character there may mean anything."""


class BackupSettings(Section, frozen=True, kw_only=True):
    """recipient: the city's public key (age1…), made by ``hiroba backup key``; its secret half is on no box. folder:
    where archives go, a USB stick or a share. keep: archives of this box that stay there.
    """

    recipient: str
    folder: Folder = ""
    keep: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 14
