"""Opens the volume at a start of the box: by the TPM, or with the half that city hall gives."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from device.clock import Clock
from device.sender import LineDown
from provisioning.cityhall.errors import EnrolmentRefused, NotEnrolled
from provisioning.cityhall.settings import CityHallLinkSettings
from provisioning.enrolment.chain import boot_id
from provisioning.enrolment.city_hall_client import CityHallClient
from provisioning.enrolment.identity import Identity
from provisioning.storage import luks
from provisioning.storage.errors import VolumeFailed
from provisioning.storage.keys import joined, unlock_message
from provisioning.storage.record import VolumeRecord


@dataclass(frozen=True)
class Closed:
    """Why the volume is still shut. code: line_down, refused, failed, typed; detail: a word for the log, no secret."""

    code: str
    detail: str = ""


def try_opening(record: VolumeRecord, folder: Path, clock: Clock) -> Closed | None:
    """One try; None when it is open. folder: see record.FOLDER."""
    try:
        if record.unlock == "tpm" and luks.has_tpm():
            try:
                luks.open_by_tpm(record.device, record.mapping)
            except VolumeFailed:
                if not record.host:
                    raise
            else:
                return None
        if not record.host:
            return Closed("typed")
        share = fetch_share(record, folder, clock)
        luks.open_with(record.device, record.mapping, joined(record.share, share, record.volume))
    except LineDown as error:
        return Closed("line_down", str(error.facts.get("reason", "")))
    except EnrolmentRefused as error:
        return Closed("refused", str(error.facts.get("reason", "")))
    except (VolumeFailed, NotEnrolled) as error:
        return Closed("failed", str(error.facts.get("reason", error.code)))
    return None


def fetch_share(record: VolumeRecord, folder: Path, clock: Clock, started: Callable[[], str] = boot_id) -> str:
    """City hall's half. started: see CityHallClient. Raises LineDown, EnrolmentRefused, NotEnrolled."""
    link = CityHallLinkSettings(host=record.host, ca=str(folder / "city-ca.pem"), enrol_port=record.enrol_port)
    client = CityHallClient(link, folder, Identity(folder), clock, started)
    return client.volume_share(record.volume, folder, lambda chain: _signature(record, chain))


def _signature(record: VolumeRecord, chain: str) -> str:
    key = load_pem_private_key(record.key.encode("ascii"), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise VolumeFailed(step="storage key", reason="not an EC key")
    have, _, then = chain.partition("/")
    return base64.b64encode(key.sign(unlock_message(record.volume, have, then), ec.ECDSA(hashes.SHA256()))).decode()
