"""The script that cloud-init runs once on a new box: unpack, install, apply, enrol. Pure.

Safe to run again after it failed: every step is.
"""

from __future__ import annotations

from typing import Literal

SCRIPT = "/usr/local/sbin/hiroba-first-start"
CODE = "/var/lib/hiroba/enrolment/code"
"""Where ``provisioning.enrolment.identity`` looks for it: what this script cannot do without a line, a timer does."""
ARCHIVE = "hiroba.tar.gz"

_HEAD = """#!/bin/sh
# Made by `hiroba seed`: the first start of this box. Run it again by hand if it failed: {script}
set -eu
export DEBIAN_FRONTEND=noninteractive
"""
_FOLDER = {
    "raspios": """# the card's boot partition
for seed in /boot/firmware /boot; do
  [ -f "$seed/{archive}" ] && break
done
""",
    "debian": """# the partition that this seed came on
seed=/run/hiroba-seed
mkdir -p "$seed"
mountpoint -q "$seed" || mount -o ro "$(blkid -L CIDATA || blkid -L cidata)" "$seed"
""",
}
_INSTALL = """echo "{digest}  $seed/{archive}" | sha256sum --check --quiet
mkdir -p /opt/hiroba/source
tar -xzf "$seed/{archive}" -C /opt/hiroba/source
/opt/hiroba/source/hiroba install --site /etc/hiroba/site.toml{options}
"""
_REST = """hiroba apply --yes
if [ -s {code} ]; then
  hiroba enrol || echo "enrolment goes on by itself: hiroba-heartbeat.timer, each five minutes"
fi
"""


def script(system: Literal["raspios", "debian"], digest: str, *, screen: bool) -> str:
    """The script. digest: SHA-256 of the application beside the seed, "" when it is installed already; screen: the box
    has a touch screen.
    """
    parts = [_HEAD]
    if digest:
        parts += [_FOLDER[system], _INSTALL]
    parts.append(_REST)
    options = "" if screen else " --without-screen"
    return "".join(parts).format(script=SCRIPT, archive=ARCHIVE, digest=digest, code=CODE, options=options)
