"""All files of a site: name -> text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from captive_portal.settings import WifiSettings
from device.secrets import Secret
from provisioning.box.render.dnsmasq import dnsmasq
from provisioning.box.render.hostapd import hostapd, radios
from provisioning.box.render.refusal import refuse
from provisioning.site.wifi_checks import lease_mistakes


class Rendered(NamedTuple):
    """One file; secret: it holds a passphrase, must be readable by its owner alone, and no diff shows it. mode, group:
    as they stand on the box; the owner is root.
    """

    text: str
    secret: bool = False
    mode: int = 0o644
    group: str = "root"


def render(wifi: WifiSettings, box: str, state: Path, passphrases: Mapping[str, Secret]) -> dict[str, Rendered]:
    """``dnsmasq-SPOT.conf`` for every spot, and for every radio ``hostapd-RADIO.conf`` with its twin for disasters,
    ``hostapd-RADIO.disaster.conf``. Raises CannotRender.
    """
    refuse(lease_mistakes(wifi))
    files = {f"dnsmasq-{spot.name}.conf": Rendered(dnsmasq(spot, wifi.portal, state)) for spot in wifi.spots}
    for radio, names in radios(wifi.spots).items():
        for suffix, disaster in (("", False), (".disaster", True)):
            text = hostapd(radio, names, passphrases, box=box, disaster=disaster)
            files[f"hostapd-{radio}{suffix}.conf"] = Rendered(text, True, 0o600)
    return files


def passphrase_files(wifi: WifiSettings) -> set[str]:
    """The files whose contents ``render`` needs."""
    return {ssid.passphrase_file for spot in wifi.spots for ssid in spot.ssids if ssid.passphrase_file}
