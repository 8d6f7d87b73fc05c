"""Every file that one box needs and that its settings decide: path below the root -> text, mode, group. Pure.

Not here: what is the same on every box (``systemd/``, laid by ``hiroba install``), and nftables, whose rules the gate
writes into the kernel itself.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import tomli_w

from device.secrets import Secret
from provisioning.box.render import network, nginx_portal, services, usb
from provisioning.box.render.browser import browser_environment, browser_policy
from provisioning.box.render.files import Rendered, passphrase_files, render
from provisioning.box.render.nginx import NginxRuntime
from provisioning.site.model import Site
from provisioning.site.renamed import renamed

CITYHALL = "etc/hiroba/cityhall.toml"
SITE = "etc/hiroba/site.toml"
READERS = "hiroba"
"""Group of our processes: site.toml is theirs to read."""


def render_box(
    site: Site, text: str, policy: str, state: Path, passphrases: Mapping[str, Secret] | None
) -> dict[str, Rendered]:
    """All files. text: the box's own site file; policy: the shipped browser policy (systemd/chromium/hiroba.json);
    passphrases: by passphrase_file, or None to leave out the radios that need one. Raises CannotRender.
    """
    files = {SITE: Rendered(text, False, 0o640, READERS)}
    if site.box.screen:
        files["etc/hiroba/browser.env"] = Rendered(browser_environment(site.kiosk.port))
        files["etc/chromium/policies/managed/hiroba.json"] = Rendered(browser_policy(policy, site.kiosk.port))
    files |= services.drop_ins(site) | services.kernel(site) | services.time(site)
    files |= network.spots(site) | usb.rules(site)
    if site.cityhall is not None and "cityhall" in site.box.parts:
        tree = renamed(tomllib.loads(text))[0]
        own = {str(name): tree[name] for name in ("cityhall", "issuer") if name in tree}  # nginx stands before both
        files[CITYHALL] = Rendered(tomli_w.dumps(own), True, 0o640, READERS)  # a database's address holds its password
    return files | _wifi(site, state, passphrases)


def _wifi(site: Site, state: Path, passphrases: Mapping[str, Secret] | None) -> dict[str, Rendered]:
    wifi = site.wifi
    if wifi is None:
        return {}
    nginx_portal.portal(wifi, state, NginxRuntime(state))  # for its mistakes; the box renders it at each start
    if passphrases is None:
        known = {name: Secret(b"TEST-passphrase") for name in passphrase_files(wifi)}
        files = render(wifi, site.box.name, state, known)
        radios = {s.interface for spot in wifi.spots for s in spot.ssids if s.passphrase_file}
        files = {n: f for n, f in files.items() if not any(n.startswith(f"hostapd-{radio}.") for radio in radios)}
    else:
        files = render(wifi, site.box.name, state, passphrases)
    return {f"etc/hiroba/wifi/{name}": file for name, file in files.items()}
