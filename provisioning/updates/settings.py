"""The site file's section ``[updates]``."""

from __future__ import annotations

from device.settings import Section


class UpdateSettings(Section, frozen=True, kw_only=True):
    """Where a box takes bundles from, and how it knows that a new one is healthy.

    source: an https:// address, or the folder of a repository. cafile: the city's own CA for it; "": the system's.
    trust: the pinned root metadata (``hiroba bundle init`` wrote it). health_urls: each must answer 200.
    health_commands: each must end with 0. health_seconds: all of them within so long from the switch, else the former
    release returns; so chosen that the box is back within a minute.
    lay: commands that put the current slot's units in their places, on the way there and on the way back. restart:
    commands that make it run. after_good: commands once a release has proved itself, e.g.
    ``[["rauc", "status", "mark-good"]]`` for the system's own slots.
    """

    source: str = ""
    cafile: str = ""
    trust: str = "/etc/hiroba/update-root.json"
    health_urls: tuple[str, ...] = ()
    health_commands: tuple[tuple[str, ...], ...] = ()
    health_seconds: float = 35
    lay: tuple[tuple[str, ...], ...] = (("/opt/hiroba/current/.venv/bin/hiroba", "install", "--units-only"),)
    restart: tuple[tuple[str, ...], ...] = (("systemctl", "restart", "hiroba.target"),)
    after_good: tuple[tuple[str, ...], ...] = ()
