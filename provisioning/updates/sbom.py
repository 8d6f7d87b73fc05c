"""The list of components (SBOM, CycloneDX 1.6 JSON) and of their licences, from the lock file, the list of Debian
packages and ``components.toml``. Pure: the same tree gives the same bytes.
"""

from __future__ import annotations

import json
import re
import tomllib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SBOM_FILE, LICENCES_FILE = "sbom.cdx.json", "LICENCES.txt"
"""In the tree of a bundle."""
COMPONENTS = Path("provisioning/updates/components.toml")
BOX_SECTIONS = ("base", "run", "box", "screen")
"""Sections of packages.txt that go on boxes."""
ALLOWED = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Zlib"),
        *("LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "MPL-2.0"),
    }
)
"""Licences of what is linked. LGPL: as a package of its own, which can be exchanged. No GPL, no AGPL."""
_LINE = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?:\s*;\s*([^\\]+?))?\s*\\?$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_NAMESPACE = uuid.UUID("6f2c1f9e-0a52-5d0e-9d3b-8f1a0c5f2b11")


Known = Mapping[str, Mapping[str, Any]]
"""components.toml: section -> name -> what is known."""


@dataclass(frozen=True)
class Component:
    """One component. version: "" for Debian's, which the box's own package list knows. hashes: SHA-256 of the files
    that the lock allows. use: see components.toml.
    """

    name: str
    version: str
    licence: str
    use: str
    source: str
    hashes: tuple[str, ...] = ()

    @property
    def purl(self) -> str:
        """Package URL."""
        kind = "pypi" if self.source == "pypi" else "deb/debian"
        return f"pkg:{kind}/{self.name}" + (f"@{self.version}" if self.version else "")


def components(lock: str, packages: str, known: Known) -> list[Component]:
    """Of a lock file and a list of Debian packages. Raises KeyError for one whose licence ``known`` does not say."""
    python = [
        Component(name, version, str(known["python"][name]), "linked", "pypi", hashes)
        for name, version, hashes in locked(lock)
    ]
    debian = [
        Component(name, "", known["debian"][name]["licence"], known["debian"][name]["use"], "debian")
        for name in on_boxes(packages)
    ]
    return [*python, *debian]


def locked(lock: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(name, version, SHA-256 of its files) of each line; what is for Windows alone is left out."""
    for block in re.split(r"\n(?=\S)", lock):
        found = _LINE.match(block.splitlines()[0]) if block.strip() else None
        if found and "win32" not in (found[3] or ""):
            yield found[1], found[2], tuple(_HASH.findall(block))


def on_boxes(packages: str) -> list[str]:
    """Names in the sections that go on boxes; of alternatives the first."""
    section, names = "", []
    for line in packages.splitlines():
        if line.startswith("["):
            section = line.strip("[] ")
        elif section in BOX_SECTIONS and line.strip() and not line.startswith("#"):
            names.append(line.split("|")[0].split()[0])
    return list(dict.fromkeys(names))


def not_allowed(found: list[Component]) -> list[Component]:
    """What is linked under a licence that is not allowed."""
    return [one for one in found if one.use == "linked" and not is_allowed(one.licence)]


def is_allowed(expression: str) -> bool:
    """Whether an SPDX expression (OR of ANDs) can be had under allowed licences alone."""
    return any(all(part.strip("() ") in ALLOWED for part in one.split(" AND ")) for one in expression.split(" OR "))


def exceptions(known: Known) -> Mapping[str, str]:
    """Name -> why it stands all the same."""
    return {str(name): str(why) for name, why in known["exceptions"].items()}


def as_cyclonedx(found: list[Component], version: str, moment: int) -> str:
    """The SBOM. version: of Hiroba; moment: of the commit, unix seconds."""
    listed = [_listed(one) for one in found]
    serial = uuid.uuid5(_NAMESPACE, json.dumps([version, moment, listed], sort_keys=True))
    own: dict[str, object] = {"type": "application", "name": "hiroba", "version": version, "bom-ref": "hiroba"}
    own |= {"licenses": [{"expression": "Apache-2.0"}]}
    tree = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"timestamp": datetime.fromtimestamp(moment, UTC).isoformat(), "component": own},
        "components": listed,
        "dependencies": [{"ref": "hiroba", "dependsOn": [str(one["bom-ref"]) for one in listed]}],
    }
    return json.dumps(tree, indent=1, ensure_ascii=False) + "\n"


def _listed(one: Component) -> dict[str, object]:
    properties = [{"name": "hiroba:use", "value": one.use}]
    properties += [{"name": "hiroba:lock:sha256", "value": value} for value in one.hashes]
    facts: dict[str, object] = {"type": "data" if one.use == "data" else "library", "name": one.name}
    if one.use == "program":
        facts["type"] = "application"
    if one.version:
        facts["version"] = one.version
    return {
        **facts,
        "bom-ref": one.purl,
        "purl": one.purl,
        "licenses": [{"expression": one.licence}] if one.licence != "IPA" else [{"license": {"id": "IPA"}}],
        "properties": properties,
    }


def as_list(found: list[Component]) -> str:
    """The licences for people: name, version, licence, use."""
    rows = [f"{one.name}\t{one.version or '(Debian)'}\t{one.licence}\t{one.use}" for one in found]
    return "\n".join(["# name\tversion\tlicence\tuse", *rows, ""])


def write(tree: Path, out: Path, moment: int) -> list[Component]:
    """Both files of the tree at ``tree``, into ``out``; the components. Raises KeyError, OSError."""
    lock, packages = ((tree / name).read_text("utf-8") for name in ("requirements.lock", "provisioning/packages.txt"))
    version = tomllib.loads((tree / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    found = components(lock, packages, read_known(tree))
    out.mkdir(parents=True, exist_ok=True)
    (out / SBOM_FILE).write_text(as_cyclonedx(found, str(version), moment), "utf-8")
    (out / LICENCES_FILE).write_text(as_list(found), "utf-8")
    return found


def read_known(tree: Path) -> Known:
    """``components.toml`` of the tree at ``tree``. Raises OSError."""
    return tomllib.loads((tree / COMPONENTS).read_text("utf-8"))
