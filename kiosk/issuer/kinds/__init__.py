"""The kinds of certificate this issuer makes, a package and a row each; offered in this order where they have a fee."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk.issuer.kinds import residence_record
from kiosk.issuer.kinds.kind import Kind

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (residence_record.KIND,)}
"""Name -> kind."""
