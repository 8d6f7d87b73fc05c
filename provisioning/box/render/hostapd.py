"""The hostapd configuration of one radio: one BSS a network name, phones kept apart, and 00000JAPAN for disasters.

Keys after hostapd.conf of hostapd 2.10; hostapd itself reads every golden file in the tests. Passphrases stand in the
file because hostapd 2.10 takes SAE ones from nowhere else: the command writes it readable by root alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from captive_portal.settings import SpotSettings, SsidSettings
from device.secrets import Secret
from provisioning.box.render.refusal import CannotRender, one_line, refuse
from provisioning.site.mistakes import mistake
from provisioning.site.wifi_checks import passphrase_of, ssid_mistakes

DISASTER_SSID = "00000JAPAN"
"""The common name of a disaster's open Wi-Fi: no authentication, no encryption (docs/sources.md#public-wi-fi)."""
_SPREAD = (1, 6, 11)
"""Channels of 2.4 GHz that do not overlap; channel 0 takes one by the box's name, so that neighbours differ. (hostapd's
own choice needs a survey, which a Raspberry Pi's radio cannot make.)"""
_CCMP = ("wpa=2", "rsn_pairwise=CCMP")
_KEYS: Mapping[str, tuple[str, ...]] = {
    "open": (),
    "owe": (*_CCMP, "wpa_key_mgmt=OWE", "ieee80211w=2"),
    "wpa2": (*_CCMP, "wpa_key_mgmt=WPA-PSK", "ieee80211w=1"),
    "wpa3": (*_CCMP, "wpa_key_mgmt=SAE", "ieee80211w=2", "sae_pwe=2"),
    "wpa2_wpa3": (*_CCMP, "wpa_key_mgmt=WPA-PSK SAE", "ieee80211w=1", "sae_require_mfp=1", "sae_pwe=2"),
}
"""security -> its lines, without the passphrase."""


class Bss(NamedTuple):
    """One network name on a radio, and the spot's interface its phones come out of."""

    ssid: SsidSettings
    bridge: str


def radios(spots: Sequence[SpotSettings]) -> dict[str, list[Bss]]:
    """radio -> its network names, in the order of the site file."""
    found: dict[str, list[Bss]] = {}
    for spot in spots:
        for ssid in spot.ssids:
            found.setdefault(ssid.interface, []).append(Bss(ssid, spot.interface))
    return found


def hostapd(
    radio: str, names: Sequence[Bss], passphrases: Mapping[str, Secret], *, box: str, disaster: bool = False
) -> str:
    """The file's text. passphrases: by passphrase_file; box: the box's name; disaster: add DISASTER_SSID, open, for
    everyone. Raises CannotRender.
    """
    refuse(found for bss in names for found in ssid_mistakes(bss.ssid))
    if disaster:
        names = [*names, Bss(SsidSettings(ssid=DISASTER_SSID, interface=radio), names[0].bridge)]
    lines = [
        f"# Made by `hiroba site render` for the radio {radio}. Edit the site file, not this one.",
        f"interface={radio}",
        "driver=nl80211",
        *_air(radio, names[0].ssid, box),
    ]
    next_bss = 0
    for place, bss in enumerate(names):
        own = f"{radio}_{next_bss}" if place else radio
        next_bss += 1
        lines += ["", f"bss={own}"] if place else []
        if bss.ssid.security == "owe_transition":
            hidden, next_bss = f"{radio}_{next_bss}", next_bss + 1
            lines += _transition(bss, own, hidden)
        else:
            lines += _bss(bss, radio, passphrases)
    return "\n".join(lines) + "\n"


def _air(radio: str, ssid: SsidSettings, box: str) -> list[str]:
    """Settings of all names of a radio: country, channel, and quiet logs, for they would hold MAC addresses (N8)."""
    channel = ssid.channel or _SPREAD[zlib.crc32(f"{box}/{radio}".encode()) % len(_SPREAD)]
    five = channel > 14
    return [
        f"country_code={one_line(ssid.country)}",
        "ieee80211d=1",
        f"hw_mode={'a' if five else 'g'}",
        f"channel={channel}",
        "ieee80211n=1",
        *(["ieee80211ac=1", "ieee80211h=1"] if five else []),
        "wmm_enabled=1",
        "logger_syslog_level=4",
        "logger_stdout_level=4",
    ]


def _bss(bss: Bss, radio: str, passphrases: Mapping[str, Secret]) -> list[str]:
    keys = list(_KEYS[bss.ssid.security])
    if bss.ssid.security.startswith("wpa"):
        keys.append(f"wpa_passphrase={_passphrase(bss.ssid, passphrases)}")
    return [*_named(bss.ssid.ssid), *_joined(bss, radio), *keys]


def _transition(bss: Bss, own: str, hidden: str) -> list[str]:
    """OWE transition mode: an open name that phones see, and a hidden encrypted one that newer phones move to."""
    radio = bss.ssid.interface
    name = bss.ssid.ssid.encode()[:28].decode(errors="ignore") + "_owe"
    return [
        *_named(bss.ssid.ssid),
        *_joined(bss, radio),
        f"owe_transition_ifname={hidden}",
        "",
        f"bss={hidden}",
        *_named(name),
        *_joined(bss, radio),
        *_KEYS["owe"],
        "ignore_broadcast_ssid=1",
        f"owe_transition_ifname={own}",
    ]


def _joined(bss: Bss, radio: str) -> list[str]:
    """ap_isolate: no frame goes from phone to phone by the radio itself."""
    return [*([f"bridge={bss.bridge}"] if bss.bridge != radio else []), "ap_isolate=1"]


def _named(name: str) -> list[str]:
    return [f'ssid2="{one_line(name)}"', *([] if name.isascii() else ["utf8_ssid=1"])]


def _passphrase(ssid: SsidSettings, passphrases: Mapping[str, Secret]) -> str:
    text = passphrase_of(ssid, passphrases)
    if text is None:
        raise CannotRender(mistake("wifi.spots[].ssids[].passphrase_file", "passphrase"))
    return text
