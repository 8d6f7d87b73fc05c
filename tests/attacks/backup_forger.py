"""What somebody makes who knows the city's public key and nothing else: ``python -m tests.attacks.backup_forger``.

Archives in the shape of a real one, of whatever box, in whatever state: unsigned as an earlier release wrote them, or
signed by a key of their own with or without a credential of their own making.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from provisioning.backup import archive
from provisioning.backup.age import encrypt
from provisioning.backup.contents import SQLITE_MAGIC, ArchivedFile, Manifest, Part
from provisioning.backup.signing import Signer

ROOT_COMMANDS = '[updates]\nhealth_commands = [["touch", "{proof}"]]\nlay = [["touch", "{proof}"]]\n'


def forged_manifest(work: Path, box: str, files: Mapping[str, bytes]) -> Manifest:
    """``files`` ("state/…", "settings/…") laid below ``work``, as a box's copies are."""
    for name, content in files.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(content)
    kept = [
        ArchivedFile(
            path=name,
            part=Part.DATABASE if content.startswith(SQLITE_MAGIC) else Part.FILE,
            bytes=len(content),
            sha256=sha256(content).hexdigest(),
            mode=0o644,
            owner="root",
            group="root",
        )
        for name, content in files.items()
    ]
    taken_at = "2026-11-23T03:00:00+09:00"
    return Manifest(format=1, archive="f" * 16, box=box, taken_at=taken_at, version="0.1", files=kept)


def unsigned(target: Path, recipient: str, manifest: Manifest, work: Path) -> Path:
    """As a release before signatures wrote it."""
    plain = io.BytesIO()
    encrypt(archive.tar_pieces(manifest, work), plain, recipient)
    target.write_bytes(plain.getvalue())
    return target


def signed(target: Path, recipient: str, manifest: Manifest, work: Path, signer: Signer) -> Path:
    """As a box with the key of ``signer`` would."""
    archive.write(target, recipient, manifest, work, signer)
    return target


def _main(target: str, recipient: str, box: str, proof: str) -> None:
    work = Path(target).with_suffix(".work")
    site = f'[box]\nname = "{box}"\n{ROOT_COMMANDS.format(proof=proof)}'
    manifest = forged_manifest(work, box, {"settings/site.toml": site.encode(), "state/portal/key": b"forged"})
    unsigned(Path(target), recipient, manifest, work)


if __name__ == "__main__":
    _main(*sys.argv[1:])
