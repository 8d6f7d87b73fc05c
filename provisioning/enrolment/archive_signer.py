"""The key that signs this box's archives: its own, with the credential that the city gave for it.

City hall's own server has no credential from elsewhere; it holds the city's CA and gives itself one for the occasion.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from device.clock import Clock
from provisioning.backup.restore import CITY_CA
from provisioning.backup.signing import Anchors, Signer, fingerprint_of_pem, normal_fingerprint
from provisioning.cityhall.boxes.authority import AuthorityFolder
from provisioning.cityhall.errors import NotEnrolled
from provisioning.cityhall.settings import FOLDER
from provisioning.enrolment.identity import Identity

_DAYS = 1


def open_signer(state: Path, box: str, clock: Clock) -> Signer:
    """The signer of the archives of ``box``; its key is made at the first call. Raises EnrolmentRefused for a file that
    is no key, AuthorityUnusable.
    """
    identity = Identity(state / "enrolment")
    key = identity.key()
    with suppress(NotEnrolled, OSError):
        if identity.credential().box == box:
            return Signer(key, identity.certificate_file.read_text("ascii"))
    authority = AuthorityFolder(state / FOLDER / "ca")
    if not authority.certificate.exists():
        return Signer(key)
    now = clock.now()
    issued = authority.open("", (), now).issue_box(box, key.public_key(), now, _DAYS)
    return Signer(key, issued.public_bytes(Encoding.PEM).decode("ascii"))


def anchors(state: Path, ca: Path | None, signers: tuple[str, ...]) -> Anchors:
    """Whom a restore believes. ca: the city's CA that staff brought; without it the one that a seed left here. signers:
    fingerprints, or files of public keys. Raises SignatureInvalid for a file that is no key, ValueError for no CA.
    """
    file = ca or state / CITY_CA
    cities = x509.load_pem_x509_certificates(file.read_bytes()) if ca or file.exists() else []
    return Anchors(tuple(cities), frozenset(_fingerprint(word) for word in signers))


def _fingerprint(word: str) -> str:
    file = Path(word)
    return fingerprint_of_pem(file.read_text("ascii", "replace")) if file.is_file() else normal_fingerprint(word)
