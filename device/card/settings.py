"""The [card] section of the site file."""

from __future__ import annotations

from device.settings import Section


class CardSettings(Section, frozen=True, kw_only=True):
    """reader: part of the PC/SC reader's name, "" takes the first one. poll_seconds: how often presence is asked."""

    reader: str = ""
    poll_seconds: float = 0.2
