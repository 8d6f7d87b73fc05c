"""The settings of the kiosk's browser: its start page, and Chromium's policy for this box's port. Pure."""

from __future__ import annotations

import json

FIRST_PORT = 8100
"""The kiosk's port as the shipped browser policy has it."""

OWN_PAGES = ("NewTabPageLocation", "HomepageLocation")
"""What a keyboard's Ctrl+T, Ctrl+N and Alt+Home open: the kiosk's page, where else a dead one would stay."""


def _blocks(listed: object) -> bool:
    """Whether every address is blocked, the browser's own pages too, which "*" does not mean."""
    return isinstance(listed, list) and {"*", "chrome://*"} <= {*listed}


def browser_environment(port: int) -> str:
    """/etc/hiroba/browser.env: the page the browser opens."""
    return f"# Made by `hiroba install` from the site file.\nHIROBA_KIOSK=http://127.0.0.1:{port}/\n"


def browser_policy(shipped: str, port: int) -> str:
    """Chromium's policy with this box's port. Raises ValueError when the shipped one allows anything else."""
    policy = json.loads(shipped)
    if policy.get("URLAllowlist") != [f"http://127.0.0.1:{FIRST_PORT}"] or not _blocks(policy.get("URLBlocklist")):
        raise ValueError("the shipped browser policy must allow the kiosk alone")
    policy["URLAllowlist"] = [f"http://127.0.0.1:{port}"]
    policy |= dict.fromkeys(OWN_PAGES, f"http://127.0.0.1:{port}/")
    return json.dumps(policy, indent=2) + "\n"
