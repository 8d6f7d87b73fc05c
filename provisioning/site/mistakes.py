"""A setting that cannot be used, as a value: found by checks, told in words by provisioning.site.mistake_errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Mistake:
    """key: the setting in a box's own file, as "wifi.spots[0].dhcp.first"; code: a key of [wrong] in words.toml;
    facts: the places in its words.
    """

    key: str
    code: str
    facts: Mapping[str, str] = field(default_factory=dict)


def mistake(key: str, code: str, **facts: str) -> Mistake:
    """A mistake with its facts by name."""
    return Mistake(key, code, facts)
