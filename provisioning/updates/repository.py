"""The publisher's side: a folder of plain files that any web server or USB stick can carry (TUF specification 1.0).

Written so that a reader in the middle of a publication sees the former one: timestamp.json is replaced last.
One of the two importers of tuf; the other is client.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from securesystemslib.signer._crypto_signer import CryptoSigner
from securesystemslib.signer._key import SSlibKey
from tuf.api._payload import MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata

from device.clock import Clock
from device.files import atomic_writer
from provisioning.updates import archive
from provisioning.updates.disk import Disk
from provisioning.updates.errors import RepositoryUnusable
from provisioning.updates.keys import ROLES, ROOT, SNAPSHOT, TARGETS, TIMESTAMP, KeyFolder
from provisioning.updates.manifest import Manifest, Offer
from provisioning.updates.waves import Wave

METADATA, FILES = "metadata", "targets"
KEPT = 3
"""Releases a platform keeps in the repository."""


@dataclass(frozen=True)
class Lifetimes:
    """Days until each role's metadata expires. A box never takes a publication whose timestamp is over."""

    root: int = 1095
    targets: int = 365
    snapshot: int = 365
    timestamp: int = 14


@dataclass
class Repository:
    """folder: holds ``metadata/`` and ``targets/``."""

    folder: Path
    keys: KeyFolder
    clock: Clock
    life: Lifetimes = field(default_factory=Lifetimes)
    disk: Disk = field(default_factory=Disk)

    def create(self) -> Path:
        """Keys, an empty repository, and the file that boxes pin: its path. Raises RepositoryUnusable, KeyUnusable."""
        metadata = self.folder / METADATA
        if metadata.exists() and any(metadata.iterdir()):
            raise RepositoryUnusable(folder=self.folder, reason="there is one already")
        metadata.mkdir(parents=True, exist_ok=True)
        (self.folder / FILES).mkdir(exist_ok=True)
        root = _unsigned(Root(consistent_snapshot=True))
        for role in ROLES:
            self.keys.make(role)
            root.signed.add_key(self._signer(role).public_key, role)
        pinned = self._sign_root(root, [])
        self._sign_from(_unsigned(Targets()))
        return pinned

    def publish(self, bundle: Path, wave: Wave) -> Offer:
        """Sign ``bundle`` as the next release. Raises BundleDamaged, RepositoryUnusable, KeyUnusable."""
        manifest = msgspec.json.decode(archive.read_text(bundle, archive.MANIFEST), type=Manifest)
        targets = self._load(Targets, TARGETS)
        former = [_offer(t) for t in targets.signed.targets.values()]
        release = 1 + max([o.release for o in former] + [targets.signed.unrecognized_fields.get("last_release", 0)])
        facts = {k: v for k, v in msgspec.to_builtins(manifest).items() if k != "built"}
        offer = Offer(release=release, wave=wave, **facts)
        file = TargetFile.from_file(manifest.file_name, str(bundle), ["sha256"])
        self._keep(bundle, file)
        self._put(targets.signed, file, offer)
        targets.signed.unrecognized_fields["last_release"] = release  # so that a number is never given twice
        dropped = self._drop_old(targets.signed, offer.platform)
        self._sign_from(targets)
        self._remove_files(dropped)
        return offer

    def offers(self) -> Mapping[str, Offer]:
        """Target name -> what is offered. Raises RepositoryUnusable."""
        return {name: _offer(t) for name, t in self._load(Targets, TARGETS).signed.targets.items()}

    def set_wave(self, release: int, wave: Wave) -> None:
        """Sign another wave for ``release``. Raises RepositoryUnusable when it is not published."""
        targets = self._load(Targets, TARGETS)
        found = [t for t in targets.signed.targets.values() if _offer(t).release == release]
        if not found:
            raise RepositoryUnusable(folder=self.folder, reason=f"no release {release}")
        for file in found:
            self._put(targets.signed, file, msgspec.structs.replace(_offer(file), wave=wave))
        self._sign_from(targets)

    def renew(self) -> datetime:
        """Sign a new timestamp, for a timer with the timestamp key alone; until when it is good."""
        timestamp = self._load(Timestamp, TIMESTAMP)
        self._sign(timestamp, TIMESTAMP, "timestamp.json")
        until: datetime = timestamp.signed.expires
        return until

    def replace_key(self, role: str) -> None:
        """A new key for ``role``; a box refuses the former from its next check on. Needs the root key."""
        former = self._signer(ROOT)
        root = self._load(Root, ROOT)
        self.keys.put_aside(role)
        self.keys.make(role)
        for keyid in list(root.signed.roles[role].keyids):
            root.signed.revoke_key(keyid, role)
        root.signed.add_key(self._signer(role).public_key, role)
        self._sign_root(root, [former] if role == ROOT else [])
        if role != ROOT:
            self._sign_from(self._load(Targets, TARGETS))

    def _sign_root(self, root: Metadata[Root], former: list[CryptoSigner]) -> Path:
        """A new root is signed by its own key, and by the former one when that changed (TUF §5.3.4)."""
        root.signed.version += 1
        root.signed.expires = self._until(ROOT)
        root.signatures.clear()
        for signer in [self._signer(ROOT), *former]:
            root.sign(signer, append=True)
        file = self.folder / METADATA / f"{root.signed.version}.root.json"
        self.disk.write(file, root.to_bytes())
        return file

    def _sign_from(self, targets: Metadata[Targets]) -> None:
        """Targets, then a snapshot of them, then the timestamp of that."""
        self._sign(targets, TARGETS, f"{targets.signed.version + 1}.targets.json")
        snapshot = self._load(Snapshot, SNAPSHOT) if self._newest(SNAPSHOT) else _unsigned(Snapshot())
        snapshot.signed.meta["targets.json"] = MetaFile(version=targets.signed.version)
        raw = self._sign(snapshot, SNAPSHOT, f"{snapshot.signed.version + 1}.snapshot.json")
        fresh = not (self.folder / METADATA / "timestamp.json").exists()
        timestamp = _unsigned(Timestamp()) if fresh else self._load(Timestamp, TIMESTAMP)
        timestamp.signed.snapshot_meta = MetaFile(
            snapshot.signed.version, len(raw), {"sha256": hashlib.sha256(raw).hexdigest()}
        )
        self._sign(timestamp, TIMESTAMP, "timestamp.json")

    def _sign(self, metadata: Metadata[Any], role: str, name: str) -> bytes:
        metadata.signed.version += 1
        metadata.signed.expires = self._until(role)
        metadata.sign(self._signer(role))
        raw = metadata.to_bytes()
        self.disk.write(self.folder / METADATA / name, raw)
        return raw

    def _signer(self, role: str) -> CryptoSigner:
        key = self.keys.load(role)
        return CryptoSigner(key, SSlibKey.from_crypto(key.public_key()))

    def _until(self, role: str) -> datetime:
        now = self.clock.now().astimezone(UTC).replace(microsecond=0)
        return now + timedelta(days=getattr(self.life, role))

    def _newest(self, role: str) -> Path | None:
        versions = (self.folder / METADATA).glob(f"*.{role}.json")
        return max(versions, key=lambda file: int(file.name.split(".")[0]), default=None)

    def _load(self, kind: type[Any], role: str) -> Metadata[Any]:
        file = self.folder / METADATA / "timestamp.json" if role == TIMESTAMP else self._newest(role)
        try:
            if file is None:
                raise FileNotFoundError(role)
            found: Metadata[Any] = Metadata.from_bytes(file.read_bytes())
        except (OSError, RepositoryError) as error:
            raise RepositoryUnusable(folder=self.folder, reason=f"{role}: {type(error).__name__}") from error
        if not isinstance(found.signed, kind):
            raise RepositoryUnusable(folder=self.folder, reason=f"{role}: holds {type(found.signed).__name__}")
        return found

    def _keep(self, bundle: Path, file: TargetFile) -> None:
        place = self._file(file)
        if not place.exists():
            with bundle.open("rb") as source, atomic_writer(place, mode=0o644) as copy:
                shutil.copyfileobj(source, copy, 1 << 20)

    def _file(self, file: TargetFile) -> Path:
        return self.folder / FILES / f"{file.hashes['sha256']}.{file.path}"

    def _put(self, targets: Targets, file: TargetFile, offer: Offer) -> None:
        file.unrecognized_fields["custom"] = msgspec.to_builtins(offer)
        targets.targets[file.path] = file

    def _drop_old(self, targets: Targets, platform: str) -> list[TargetFile]:
        mine = [t for t in targets.targets.values() if _offer(t).platform == platform]
        old = sorted(mine, key=lambda t: _offer(t).release)[:-KEPT]
        return [targets.targets.pop(t.path) for t in old]

    def _remove_files(self, dropped: list[TargetFile]) -> None:
        for file in dropped:
            self._file(file).unlink(missing_ok=True)


def _unsigned(signed: Any) -> Metadata[Any]:
    """Signing counts up, so what was never signed is at 0, which TUF's own constructor does not take."""
    signed.version = 0
    return Metadata(signed)


def _offer(file: TargetFile) -> Offer:
    return msgspec.convert(file.unrecognized_fields.get("custom"), Offer)
