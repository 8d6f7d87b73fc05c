"""What a box needs to open its volume, on the part of the card that is not encrypted: /etc/hiroba/storage.

None of it opens the volume by itself. No back-up holds it: another card has another volume.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from device.files import atomic_write
from provisioning.storage.errors import VolumeMissing

FOLDER = Path("/etc/hiroba/storage")
Unlock = Literal["tpm", "cityhall", "typed"]


class VolumeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """volume: its id; device: where it lies; mapping: its name below /dev/mapper; unlock: who holds what the card does
    not; share: the card's half (hex); key: signs the question for the other half (PEM); host, enrol_port: city hall.
    """

    volume: str
    device: str
    mapping: str
    box: str
    unlock: Unlock
    share: str = ""
    key: str = ""
    host: str = ""
    enrol_port: int = 0


def write_record(record: VolumeRecord, ca: bytes, folder: Path = FOLDER) -> None:
    """For root alone. ca: the city's CA, PEM, or empty."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if ca:
        atomic_write(folder / "city-ca.pem", ca, mode=0o600)
    atomic_write(folder / "volume.json", msgspec.json.encode(record), mode=0o600)


def read_record(folder: Path = FOLDER) -> VolumeRecord:
    """The record. Raises VolumeMissing."""
    try:
        return msgspec.json.decode((folder / "volume.json").read_bytes(), type=VolumeRecord)
    except (OSError, msgspec.DecodeError) as error:
        raise VolumeMissing(folder=folder) from error
