"""Makes the encrypted volume of a box, once: keys, header, record, and the recovery key for paper."""

from __future__ import annotations

import base64
import io
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from device.secrets import Secret
from provisioning.backup.age import encrypt
from provisioning.cityhall.boxes.authority import private_pem
from provisioning.cityhall.settings import CityHallLinkSettings
from provisioning.enrolment.city_hall_client import CityHallClient
from provisioning.storage import luks
from provisioning.storage.errors import NoSecondHolder, VolumeThere
from provisioning.storage.keys import joined, new_recovery_key, new_share
from provisioning.storage.record import FOLDER, Unlock, VolumeRecord, write_record

MAPPING = "hiroba_state"
"""Without a hyphen, which systemd would write otherwise in the device's name."""


@dataclass(frozen=True)
class Holders:
    """Who keeps what the card must not hold. city_hall: the line of an enrolled box, or None. recipient: the city's
    back-up key (age1…), to which the recovery key is sealed for city hall; "": it stands on paper alone. typed: staff
    type the recovery key at each start.
    """

    tpm: bool
    city_hall: CityHallClient | None
    link: CityHallLinkSettings | None
    recipient: str = ""
    typed: bool = False


@dataclass(frozen=True)
class Prepared:
    """record: as written. recovery: for paper, told once. escrowed: city hall keeps it, too."""

    record: VolumeRecord
    recovery: str
    escrowed: bool


def prepare(device: str, box: str, holders: Holders, ca: bytes, *, folder: Path = FOLDER, cpu: str = "") -> Prepared:
    """A new volume on the blank ``device``. ca: the city's CA, PEM. cpu: /proc/cpuinfo. Raises VolumeThere,
    NoSecondHolder, VolumeFailed, LineDown, EnrolmentRefused.
    """
    if not luks.is_blank(device):
        raise VolumeThere(device=device)
    if not (holders.tpm or holders.city_hall or holders.typed):
        raise NoSecondHolder(device=device)
    volume, recovery = secrets.token_hex(16), new_recovery_key()
    record, key = _record(device, box, volume, holders, _sealed(recovery, holders.recipient))
    luks.make(device, key, luks.cipher(cpu))
    luks.add_key(device, key, Secret(recovery.encode("ascii")))
    if holders.tpm:
        luks.bind_tpm(device, key)
    write_record(record, ca if record.host else b"", folder)
    return Prepared(record, recovery, bool(holders.recipient and record.host))


def _record(device: str, box: str, volume: str, holders: Holders, sealed: str) -> tuple[VolumeRecord, Secret]:
    """The record, and the first key of the volume."""
    unlock: Unlock = "tpm" if holders.tpm else "cityhall" if holders.city_hall else "typed"
    plain = VolumeRecord(volume=volume, device=device, mapping=MAPPING, box=box, unlock=unlock)
    if holders.city_hall is None or holders.link is None:
        return plain, Secret(new_share().encode("ascii"))
    own = ec.generate_private_key(ec.SECP256R1())
    public = own.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
    share, other = new_share(), holders.city_hall.register_volume(volume, public, sealed)
    record = VolumeRecord(
        volume=volume,
        device=device,
        mapping=MAPPING,
        box=box,
        unlock=unlock,
        share=share,
        key=private_pem(own).decode("ascii"),
        host=holders.link.host,
        enrol_port=holders.link.enrol_port,
    )
    return record, joined(share, other, volume)


def _sealed(recovery: str, recipient: str) -> str:
    if not recipient:
        return ""
    sink = io.BytesIO()
    encrypt([f"{recovery}\n".encode("ascii")], sink, recipient)
    return base64.b64encode(sink.getvalue()).decode("ascii")
