"""The renderers' last check: what ``hiroba site check`` refuses is never written to another program's file."""

from __future__ import annotations

from collections.abc import Iterable

from provisioning.site.mistakes import Mistake
from provisioning.site.wifi_checks import breaks_line


class CannotRender(ValueError):
    """A surprise: nobody checked these settings. mistake: the first that is wrong with them."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(f"{mistake.key}: {mistake.code}")
        self.mistake = mistake


def refuse(mistakes: Iterable[Mistake]) -> None:
    """Raises CannotRender for the first of ``mistakes``."""
    for mistake in mistakes:
        raise CannotRender(mistake)


def one_line(text: str, key: str = "wifi") -> str:
    """``text``, which must not break out of its line in another program's file. Raises CannotRender."""
    if breaks_line(text):
        raise CannotRender(Mistake(key, "breaks_line"))
    return text
