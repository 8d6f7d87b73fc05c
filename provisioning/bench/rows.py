"""The rows of the bench and their bars: an interface. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

Sign = Literal["<=", ">="]


@dataclass(frozen=True)
class Bar:
    """What a row promises: its value is ``sign`` ``limit``, in ``unit``. peer: what stands beside it, or ""."""

    unit: str
    sign: Sign
    limit: float
    peer: str = ""

    def holds(self, value: float) -> bool:
        """Whether ``value`` keeps the promise."""
        return value <= self.limit if self.sign == "<=" else value >= self.limit

    def __str__(self) -> str:
        return f"{self.sign} {self.limit:g}"


BARS: Mapping[str, Mapping[str, Bar]] = {
    "card": {
        "card.apdus_short": Bar("APDU", "<=", 13, "OpenSC pkcs11-tool"),
        "card.apdus_extended": Bar("APDU", "<=", 7, "OpenSC pkcs11-tool"),
        "card.time_over_bare": Bar("ratio", "<=", 1.1),
    },
    "issue": {
        "issue.page_ms": Bar("ms", "<=", 10, "WeasyPrint"),
        "issue.over_weasyprint": Bar("ratio", "<=", 0.1),
        "issue.per_second": Bar("1/s", ">=", 120),
        "issue.growth_1k_to_100k": Bar("ratio", "<=", 1.1),
    },
    "print": {
        "receipt.build_ms": Bar("ms", "<=", 6, "python-escpos .image()"),
        "receipt.over_escpos": Bar("ratio", "<=", 0.4),
        "receipt.languages_ms": Bar("ms", "<=", 12),
        "ipp.submit_ms": Bar("ms", "<=", 6),
    },
    "kiosk": {
        "kiosk.screen_ms": Bar("ms", "<=", 5),
        "kiosk.pin_to_choice_s": Bar("s", "<=", 0.15),
        "kiosk.pss_mib": Bar("MiB", "<=", 70),
    },
    "wifi": {
        "wifi.login_ms": Bar("ms", "<=", 10, "openNDS"),
        "wifi.logins_per_second": Bar("1/s", ">=", 300, "openNDS"),
        "wifi.login_success": Bar("share", ">=", 1.0, "openNDS"),
        "wifi.redirects_per_second": Bar("1/s", ">=", 10_000, "openNDS"),
        "wifi.list_250_ms": Bar("ms", "<=", 5, "openNDS"),
        "wifi.login_growth_10_to_10k": Bar("ratio", "<=", 1.2),
        "wifi.forwarding_kept_10k": Bar("ratio", ">=", 0.98),
        "wifi.pss_mib": Bar("MiB", "<=", 70, "openNDS"),
        "wifi.login_under_1000_slow_s": Bar("s", "<=", 0.1),
    },
    "stats": {
        "stats.page_ms": Bar("ms", "<=", 5, "raw SQL in SQLite"),
        "stats.page_growth_1m_to_10m": Bar("ratio", "<=", 1.1, "raw SQL in SQLite"),
        "stats.events_per_second": Bar("1/s", ">=", 5000, "raw SQL in SQLite"),
    },
    "boot": {
        "box.cold_start_s": Bar("s", "<=", 0.6),
        "box.pss_mib": Bar("MiB", "<=", 150, "OpenWISP"),
        "box.written_mb_per_day": Bar("MB", "<=", 18),
        "box.idle_cpu": Bar("cores", "<=", 0.01),
    },
}
"""Bench -> row -> bar."""


@dataclass(frozen=True)
class Measured:
    """One figure as a bench found it, in the row's unit. value None: it could not be measured, and note says why."""

    name: str
    value: float | None
    peer_value: float | None = None
    note: str = ""


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """One line of the table and of the JSON. ratio: value over peer_value. holds: None when nothing was measured."""

    name: str
    value: float | None
    unit: str
    peer: str | None
    peer_value: float | None
    ratio: float | None
    bar: str
    holds: bool | None
    note: str = ""


def judge(bench: str, found: Iterable[Measured]) -> list[Row]:
    """Every row of ``bench`` in the order of the table; one that was not reported is told so."""
    by_name = {measured.name: measured for measured in found}
    missing = by_name.keys() - BARS[bench].keys()
    if missing:
        raise ValueError(f"{bench} has no row {sorted(missing)}")
    return [_row(name, bar, by_name.get(name)) for name, bar in BARS[bench].items()]


def _row(name: str, bar: Bar, measured: Measured | None) -> Row:
    got = measured or Measured(name, None, note="not reported")
    value, peer = _rounded(got.value), _rounded(got.peer_value)
    return Row(
        name=name,
        value=value,
        unit=bar.unit,
        peer=bar.peer or None,
        peer_value=peer,
        ratio=_rounded(value / peer) if value is not None and peer else None,
        bar=str(bar),
        holds=None if got.value is None else bar.holds(got.value),
        note=got.note,
    )


def _rounded(value: float | None) -> float | None:
    """Four significant digits: more would claim what a run cannot know."""
    return None if value is None else float(f"{value:.4g}")
