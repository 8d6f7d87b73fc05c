"""cloud-init's files for one box: user-data, network-config, meta-data. Pure. The only importer of yaml.

NoCloud data source: on Raspberry Pi OS the card's boot partition, on Debian a partition labelled CIDATA. user-data is
what Debian 12's cloud-init (22.4) knows, so that both read the same.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import tomli_w
import yaml

from provisioning.box.seed.first_start import CODE, SCRIPT, script
from provisioning.site.model import Site
from provisioning.site.renamed import renamed

System = Literal["raspios", "debian"]
SECRETS = (("kiosk", "staff_code_hash"), ("cityhall", "database"))
"""Keys that hold a secret: left out of the seed, and brought by the first ``hiroba apply`` with the city's file."""
STAFF = "hiroba-staff"
"""The account of the IT staff: by key, without password."""


def seed(
    site: Site,
    toml: str,
    system: System,
    *,
    code: str = "",
    keys: Sequence[str] = (),
    files: Mapping[str, str] | None = None,
    application: str = "",
) -> dict[str, str]:
    """file name -> text. toml: the box's own site file. code: the one-time enrolment code, or "". keys: the staff's
    public SSH keys. files: further public files, path -> text. application: SHA-256 of hiroba.tar.gz beside them.
    """
    written = [_file("/etc/hiroba/site.toml", without_secrets(toml), "0640")]
    written += [_file(path, text, "0644") for path, text in (files or {}).items()]
    written += [_file(CODE, code + "\n", "0600")] if code else []
    written.append(_file(SCRIPT, script(system, application, screen=site.box.screen), "0755"))
    user_data = "#cloud-config\n" + _yaml(_user_data(site.box.name, written, keys))
    return {
        "user-data": user_data,
        "network-config": _yaml(_network(site)),
        "meta-data": _yaml({"instance-id": _instance(site.box.name, user_data), "local-hostname": site.box.name}),
    }


def without_secrets(toml: str) -> str:
    """The site file as it may lie on a card that anyone can read."""
    tree, _ = renamed(tomllib.loads(toml))
    for section, key in SECRETS:
        tree.get(section, {}).pop(key, None)
    return "# Made by `hiroba seed`. Secrets are not in it: `hiroba apply` with the city's file brings them.\n\n" + (
        tomli_w.dumps(tree)
    )


def _user_data(name: str, written: Sequence[Mapping[str, str]], keys: Sequence[str]) -> dict[str, Any]:
    return {
        "hostname": name,
        "manage_etc_hosts": True,
        "timezone": "Asia/Tokyo",
        "locale": "C.UTF-8",  # is always there; our screens and commands speak Japanese by themselves
        "ssh_pwauth": False,
        "disable_root": True,
        # Without a key nobody can log in: cloud-init's own account has no password either.
        **({"users": [_staff(keys)]} if keys else {}),
        "write_files": list(written),
        "runcmd": [*([["systemctl", "enable", "--now", "ssh"]] if keys else []), [SCRIPT]],
    }


def _staff(keys: Sequence[str]) -> dict[str, Any]:
    return {
        "name": STAFF,
        "gecos": "IT staff",
        "groups": ["sudo"],
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
        "shell": "/bin/bash",
        "lock_passwd": True,
        "ssh_authorized_keys": list(keys),
    }


def _file(path: str, text: str, mode: str) -> dict[str, Any]:
    return {"path": path, "permissions": mode, "owner": "root:root", "content": text}


def _network(site: Site) -> dict[str, Any]:
    """Version 2. A box with a screen does not wait for its network (``optional``)."""
    own: dict[str, Any] = {"optional": True}
    if site.network.address:
        own["dhcp4"] = False
        own["addresses"] = [site.network.address]
        if site.network.gateway:
            own["routes"] = [{"to": "0.0.0.0/0", "via": site.network.gateway}]
        if site.network.resolvers:
            own["nameservers"] = {"addresses": list(site.network.resolvers)}
    else:
        own["dhcp4"] = True
    return {"version": 2, "ethernets": {site.network.uplink: own}}


def _instance(name: str, user_data: str) -> str:
    """Another seed is another instance, so that cloud-init starts from the beginning on a card that had one."""
    return f"{name}-{hashlib.sha256(user_data.encode()).hexdigest()[:12]}"


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # yaml ships no types
    """Texts of several lines stand as they are, for people who read the seed."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _yaml(tree: Mapping[str, Any]) -> str:
    return str(yaml.dump(dict(tree), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000))
