"""Where register and seal key may lie: at city hall; on a box in a plaza only if its file says ``lone``. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from provisioning.site.mistakes import Mistake, mistake


def stands_in_plaza(tree: Mapping[str, Any]) -> bool:
    """Whether the box of this tree serves visitors."""
    return "kiosk" in tree or "wifi" in tree


def register_undeclared(tree: Mapping[str, Any]) -> bool:
    """Whether this box would hold the register and the seal key in a plaza without its file saying that it is meant."""
    box = tree.get("box")
    lone = isinstance(box, Mapping) and box.get("lone") is True
    return "issuer" in tree and stands_in_plaza(tree) and not lone


def lone_mistakes(tree: Mapping[str, Any]) -> Iterator[Mistake]:
    """Told at [issuer]."""
    if register_undeclared(tree):
        yield mistake("issuer", "register_on_plaza")
