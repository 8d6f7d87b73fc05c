"""The values statistics count by, as closed lists: what is not in them is counted as "other".

A closed list also means that no text sent by a phone can ever reach the statistics (N8).
"""

from __future__ import annotations

from captive_portal.gate.protocol import EndReason, RefusalReason
from captive_portal.portal.languages import LANGUAGES
from captive_portal.portal.probes import DeviceKind

BOX = "*"
"""In the place of a spot's name: all spots of the box together. No spot can be called so (settings.SpotName)."""
UNKNOWN_SPOT = "?"
"""A refused phone that was on none of our networks."""
OTHER = "other"
MERGED = "merged"
"""Open data only: values that were put together because one alone would tell of fewer than five visitors."""

_PORTAL_REFUSALS = ("address", "code", "code_over", "mail", "too_many", "voucher", "voucher_expired", "voucher_used")
PARTS: dict[str, tuple[str, ...]] = {
    "method": ("one_tap", "email_code", "voucher", OTHER),
    "language": (*LANGUAGES, OTHER),
    "device": tuple(kind.value for kind in DeviceKind),
    "refusal": (*(reason.value for reason in RefusalReason), *_PORTAL_REFUSALS, OTHER),
    "end": (*(reason.value for reason in EndReason), OTHER),
}
"""part -> its values, in the order they are shown."""
_KNOWN = {part: frozenset(values) for part, values in PARTS.items()}


def known(part: str, value: str) -> str:
    """``value`` when the part has it, else OTHER."""
    return value if value in _KNOWN[part] else OTHER
