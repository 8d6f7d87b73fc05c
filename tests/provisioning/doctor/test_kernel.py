"""What the gate relies on in the kernel, told from a site file."""

from __future__ import annotations

from pathlib import Path

from provisioning.doctor.checks.kernel import Setting, relied_on
from provisioning.site.city_reading import read_city

SETTSU = Path(__file__).parents[3] / "provisioning" / "examples" / "settsu.toml"


def named(box: str, **found: int) -> dict[str, Setting]:
    kernel = {name.replace("__", "."): value for name, value in found.items()}
    return {one.name: one for one in relied_on(read_city(SETTSU).box(box).site, kernel.get)}


def test_every_interface_of_a_spot_is_asked_on_both_sides() -> None:
    site = read_city(SETTSU).box("library-1").site
    assert site.wifi
    sides = {name for spot in site.wifi.spots for name in (spot.interface, spot.uplink)}
    asked = {name for name in named("library-1") if name.endswith(".rp_filter")}
    wanted = {f"net.ipv4.conf.{side.replace('.', '/')}.rp_filter" for side in sides}
    assert asked == wanted | {"net.ipv4.conf.all.rp_filter"}


def test_a_loose_check_of_sources_is_wrong_and_more_room_for_neighbours_is_not() -> None:
    found = named("library-1", net__ipv4__conf__all__rp_filter=2, net__ipv4__neigh__default__gc_thresh3=65536)
    assert not found["net.ipv4.conf.all.rp_filter"].is_right()
    assert found["net.ipv4.neigh.default.gc_thresh3"].is_right()


def test_a_box_without_wifi_relies_on_nothing() -> None:
    assert named("cityhall-1") == {}
