"""The site file's section ``[updates]``."""

from __future__ import annotations

from device.settings import Section


class UpdateSettings(Section, frozen=True, kw_only=True):
    """Where a box takes bundles from, and how it knows that a new one is healthy.

    source: an https:// address, or the folder of a repository. cafile: the city's own CA for it; "": the system's.
    trust: the pinned root metadata (``hiroba bundle init`` wrote it). health_urls: each must answer 200.
    health_seconds: all of them within so long from the switch, else the former release returns; so chosen that the box
    is back within a minute. Programs are not named here: ``local_commands``.
    """

    source: str = ""
    cafile: str = ""
    trust: str = "/etc/hiroba/update-root.json"
    health_urls: tuple[str, ...] = ()
    health_seconds: float = 35
