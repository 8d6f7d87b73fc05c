"""A setting that has the right type and still makes no sense. May import: nothing of ours."""

from __future__ import annotations


class Wrong(ValueError):
    """key: the setting, dotted; wrong: what is wrong with it. Told to staff as a settings error by the command."""

    def __init__(self, key: str, wrong: str) -> None:
        super().__init__(f"{key}: {wrong}")
        self.key = key
        self.wrong = wrong


def one_line(text: str, key: str = "wifi") -> str:
    """``text``, which must not break out of its line in another program's file. Raises Wrong."""
    if any(ord(c) < 32 or ord(c) == 127 for c in text) or '"' in text:
        raise Wrong(key, "control characters and quotation marks are not allowed here")
    return text
