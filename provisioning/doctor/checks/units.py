"""The units that hiroba.target wants."""

from __future__ import annotations

from collections.abc import Mapping

from device.health import readers
from device.health.finding import Finding, absent, error, ok, warning
from device.health.readers import Unit
from provisioning.box.install.units import disaster_unit
from provisioning.doctor.examined_box import ExaminedBox


def check(box: ExaminedBox) -> list[Finding]:
    """Asks systemd."""
    if box.units is None:
        return [absent("unit.no_systemd")]
    own = [name for name in box.units if name.endswith((".service", ".timer", ".socket", ".path"))]
    twins = {name: twin for name in own if (twin := disaster_unit(name))}
    seen = {unit.name: unit for unit in readers.units([*own, *twins.values()])}
    return [judge(_in_charge(seen, name, twins.get(name, ""))) for name in own if name in seen]


def judge(seen: Unit) -> Finding:
    """One unit."""
    facts: dict[str, str | int | float] = {"unit": seen.name, "restarts": seen.restarts}
    if seen.active == "failed":
        return error("unit.failed", **facts)
    if seen.active not in ("active", "reloading", "activating") and not seen.once:
        return error("unit.stopped", **facts)
    if seen.restarts > 5:
        return warning("unit.restarts", **facts)
    return ok("unit.inactive" if seen.active == "inactive" else "unit.active", **facts)


def _in_charge(seen: Mapping[str, Unit], name: str, twin: str) -> Unit:
    """The unit, or the one that has its radio in a disaster."""
    other = seen.get(twin)
    return other if other and other.active == "active" else seen[name]
