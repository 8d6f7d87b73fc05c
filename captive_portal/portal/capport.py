"""The captive-portal API of RFC 8908: what a phone's system asks to show "sign in", time left and "extend".

Pure.
"""

from __future__ import annotations

import msgspec

API_PATH = "/captive-portal/api"
"""The path that DHCPv4 114, DHCPv6 103 and RA 37 announce (RFC 8910), behind https and the portal's name."""

MEDIA_TYPE = "application/captive+json"
CACHE = "private, no-store"
"""RFC 8908 §5 asks for private; no-store as well, since the answer is one phone's."""


class CaptiveState(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", omit_defaults=True):
    """The keys of RFC 8908 §5. seconds and bytes (both directions together) are left out while captive or unlimited."""

    captive: bool
    user_portal_url: str | None = None
    venue_info_url: str | None = None
    can_extend_session: bool | None = None
    seconds_remaining: int | None = None
    bytes_remaining: int | None = None


def state_of(
    *, origin: str, online: bool, can_extend: bool, seconds: int | None = None, bytes_left: int | None = None
) -> CaptiveState:
    """The state of one phone. ``origin``: the portal's, without a trailing slash; both URLs lie under it."""
    return CaptiveState(
        captive=not online,
        user_portal_url=f"{origin}/",
        venue_info_url=f"{origin}/terms",
        can_extend_session=can_extend,
        seconds_remaining=max(0, seconds) if online and seconds is not None else None,
        bytes_remaining=max(0, bytes_left) if online and bytes_left is not None else None,
    )


def encode(state: CaptiveState) -> bytes:
    """The body of the answer."""
    return msgspec.json.encode(state)
