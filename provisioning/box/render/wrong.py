"""A setting that has the right type and still makes no sense."""

from __future__ import annotations


class Wrong(ValueError):
    """key: the setting, as "wifi.spots[0].dhcp"; code: a key of [wrong] in words.toml; facts: its places."""

    def __init__(self, key: str, code: str, **facts: str) -> None:
        super().__init__(f"{key}: {code} {facts}")
        self.key = key
        self.code = code
        self.facts = facts


def one_line(text: str, key: str = "wifi") -> str:
    """``text``, which must not break out of its line in another program's file. Raises Wrong."""
    if any(ord(c) < 32 or ord(c) == 127 for c in text) or '"' in text:
        raise Wrong(key, "breaks_line")
    return text
