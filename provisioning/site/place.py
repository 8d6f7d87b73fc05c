"""What the kiosk is told of its plaza, out of the sections [box] and [wifi]."""

from __future__ import annotations

from kiosk.settings import Place, WifiNetwork
from provisioning.site.model import Site

FREE = ("open", "owe", "owe_transition")
"""Kinds of security that ask for no password."""


def place_of(site: Site) -> Place:
    """Its names, and every Wi-Fi name of the box once."""
    radios = [radio for spot in (site.wifi.spots if site.wifi else ()) for radio in spot.ssids]
    free = {radio.ssid: radio.security in FREE for radio in radios}
    networks = tuple(WifiNetwork(ssid, is_free) for ssid, is_free in free.items())
    return Place(site.box.place_ja, site.box.place_en, networks)
