"""Every database of a box, and which releases' code can open it.

``schemas.json`` beside this file says it without running anything: it travels in the bundle and in the signed metadata,
so a box knows before it takes a release whether there is a way back from it. ``hiroba bundle schemas`` makes it; a test
holds it fresh.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from device.migrations import Migration, Schema, schema_of

FILE = Path("provisioning/updates/schemas.json")
"""Below a slot, a checkout or a bundle's tree."""

Schemas = Mapping[str, Schema]
"""Database (room and file) -> its schema."""


def migrations() -> dict[str, Sequence[Migration]]:
    """What the code that runs gives to ``Store``."""
    from captive_portal.gate.database import MIGRATIONS as GATE_MIGRATIONS
    from captive_portal.portal.records import PORTAL_MIGRATIONS
    from captive_portal.stats.database import STATS_MIGRATIONS
    from device.audit import AUDIT_MIGRATIONS
    from device.outbox import OUTBOX_MIGRATIONS
    from kiosk.issuer.register.register import REGISTER_MIGRATIONS
    from kiosk.issuer.wiring import LEDGER_MIGRATIONS
    from kiosk.schema import KIOSK_MIGRATIONS

    return {
        "audit": AUDIT_MIGRATIONS,
        "gate": GATE_MIGRATIONS,
        "issuer-ledger": LEDGER_MIGRATIONS,
        "issuer-register": REGISTER_MIGRATIONS,
        "kiosk": KIOSK_MIGRATIONS,
        "outbox": OUTBOX_MIGRATIONS,
        "portal": PORTAL_MIGRATIONS,
        "stats": STATS_MIGRATIONS,
    }


def schemas() -> dict[str, Schema]:
    """Of the code that runs."""
    return {name: schema_of(steps) for name, steps in migrations().items()}


def as_text(found: Schemas) -> str:
    """The content of ``schemas.json``: a line a database."""
    lines = [f'  "{name}": {msgspec.json.encode(schema._asdict()).decode()}' for name, schema in sorted(found.items())]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def read(tree: Path) -> dict[str, Schema]:
    """What the release at ``tree`` says; nothing for one from before it was said."""
    try:
        told = msgspec.json.decode((tree / FILE).read_bytes(), type=dict[str, dict[str, int]])
        return {name: Schema(**numbers) for name, numbers in told.items()}
    except (OSError, msgspec.MsgspecError, TypeError):
        return {}


def without_return(newer: Schemas, here: Schemas) -> list[str]:
    """Databases that the release ``here`` could not go on with once ``newer`` has used them, or the other way round (a
    former release published anew). Empty: the box can go there and back.
    """
    both = sorted(newer.keys() & here.keys())
    return [n for n in both if not (newer[n].goes_back_to(here[n]) and here[n].goes_back_to(newer[n]))]
