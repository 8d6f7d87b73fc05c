"""The values that statistics count by, as closed lists; anything else is counted as "other".

A closed list also means that no text sent by a phone can get into the statistics (N8).
"""

from __future__ import annotations

from collections.abc import Mapping

from captive_portal.gate.protocol import EndReason, RefusalReason
from captive_portal.portal.languages import LANGUAGES
from captive_portal.portal.probes import DeviceKind
from captive_portal.settings import LOGIN_METHODS, LoginMethodFacts

ALL_SPOTS = "*"
"""In place of a spot's name: all spots of the box together. No spot can have this name (settings.SpotName)."""
UNKNOWN_SPOT = "?"
"""A refused phone that was on none of the box's networks."""
OTHER = "other"
MERGED = "merged"
"""Open data only: values that were combined because one alone has fewer than five visitors."""
NO_DATA = "no_data"
"""Open data only: a day on which nothing was collected. Not 0."""


def make_parts(methods: Mapping[str, LoginMethodFacts]) -> dict[str, tuple[str, ...]]:
    """Part (a dimension of the statistics) -> its values, in the order they are shown. Log-in methods and the reasons
    for which their forms are refused follow from ``methods``.
    """
    refusals = dict.fromkeys(code for facts in methods.values() for code in facts.refusals)
    return {
        "method": (*methods, OTHER),
        "language": (*LANGUAGES, OTHER),
        "device": tuple(kind.value for kind in DeviceKind),
        "refusal": (*(reason.value for reason in RefusalReason), *refusals, OTHER),
        "end": (*(reason.value for reason in EndReason), OTHER),
    }


PARTS = make_parts(LOGIN_METHODS)


def closed_value(part: str, value: str, parts: Mapping[str, tuple[str, ...]] = PARTS) -> str:
    """``value`` when the part has it, else OTHER."""
    return value if value in parts[part] else OTHER
