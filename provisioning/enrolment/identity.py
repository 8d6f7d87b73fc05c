"""A box's identity: its key, made here and never sent, and the credential that city hall issued for it.

The key's file is worth keeping through re-flashing: by it city hall knows the box again.
"""

from __future__ import annotations

import grp
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from provisioning.cityhall.boxes.authority import fingerprint, key_hash, private_pem, write_private, write_public
from provisioning.cityhall.errors import EnrolmentRefused, NotEnrolled

CODE_FILE = "code"
GROUP = "hiroba-credential"
"""Of systemd/sysusers.d."""
RENEW_AFTER = 2 / 3
"""A credential is renewed when this part of its life is over: a third of it is left for a line that is down."""


@dataclass(frozen=True)
class Credential:
    """A credential's validity."""

    box: str
    start: datetime
    end: datetime

    def renewal_due(self, now: datetime) -> bool:
        """Whether it is time to renew."""
        return now >= self.start + (self.end - self.start) * RENEW_AFTER

    def expired(self, now: datetime) -> bool:
        """Whether it has expired."""
        return now >= self.end

    def days_left(self, now: datetime) -> int:
        """Whole days until its end; negative when it is over."""
        return (self.end - now) // timedelta(days=1)


@dataclass(frozen=True)
class Identity:
    """The files below STATE/enrolment: box-key.pem (0600), box.pem, code (the one-time code that a seed brought),
    enrolment (the id of a question not yet answered). group: who may read the key beside its owner.
    """

    folder: Path
    group: str = GROUP

    @property
    def key_file(self) -> Path:
        """The private key."""
        return self.folder / "box-key.pem"

    @property
    def certificate_file(self) -> Path:
        """The credential."""
        return self.folder / "box.pem"

    @property
    def pending_file(self) -> Path:
        """The id of an enrolment that waits for staff."""
        return self.folder / "enrolment"

    @property
    def code_file(self) -> Path:
        """A one-time code that has not been used yet."""
        return self.folder / CODE_FILE

    def code(self) -> str:
        """The code that a seed brought, or ""."""
        return self.code_file.read_text("utf-8").strip() if self.code_file.exists() else ""

    def key(self) -> ec.EllipticCurvePrivateKey:
        """The box's key; made at the first call. Raises EnrolmentRefused when the file is not one."""
        if not self.key_file.exists():
            made = ec.generate_private_key(ec.SECP256R1())
            write_private(self.key_file, private_pem(made))
            self.share()
            return made
        try:
            key = load_pem_private_key(self.key_file.read_bytes(), None)
        except (ValueError, TypeError) as error:
            raise EnrolmentRefused(reason="own_key_unreadable") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise EnrolmentRefused(reason="own_key_unreadable")
        return key

    def share(self) -> None:
        """Let those read the key that show it beside root: kiosk and issuer, by their group. Only where there is
        one, as on an installed box; done again at each step, since an earlier release kept the key to root.
        """
        if os.geteuid() != 0 or not self.key_file.exists():
            return
        try:
            group = grp.getgrnam(self.group).gr_gid
        except KeyError:
            return
        for path, mode in ((self.folder, 0o710), (self.key_file, 0o640)):
            os.chown(path, -1, group)
            path.chmod(mode)

    def request(self, box: str) -> str:
        """A certificate signing request, PEM: proof that we hold the key."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, box)])
        signed = x509.CertificateSigningRequestBuilder().subject_name(name).sign(self.key(), hashes.SHA256())
        return signed.public_bytes(Encoding.PEM).decode()

    def fingerprint(self) -> str:
        """Of the public key, as staff see it on city hall's page."""
        return fingerprint(key_hash(self.key().public_key()))

    def keep(self, certificate: str) -> Credential:
        """Store a credential. Raises EnrolmentRefused when it is not for our key."""
        try:
            parsed = x509.load_pem_x509_certificate(certificate.encode())
        except ValueError as error:
            raise EnrolmentRefused(reason="answer_malformed") from error
        if parsed.public_key() != self.key().public_key():
            raise EnrolmentRefused(reason="key_differs")
        write_public(self.certificate_file, certificate.encode())
        self.pending_file.unlink(missing_ok=True)
        return _credential(parsed)

    def credential(self) -> Credential:
        """The stored credential. Raises NotEnrolled."""
        try:
            return _credential(x509.load_pem_x509_certificate(self.certificate_file.read_bytes()))
        except (OSError, ValueError) as error:
            raise NotEnrolled(file=self.certificate_file) from error

    def pending(self) -> str:
        """The id of an enrolment not yet answered, or ""."""
        return self.pending_file.read_text("ascii").strip() if self.pending_file.exists() else ""

    def wait_for(self, enrolment: str) -> None:
        """Remember an enrolment until it is answered."""
        write_private(self.pending_file, enrolment.encode())


def _credential(certificate: x509.Certificate) -> Credential:
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Credential(str(name.value), certificate.not_valid_before_utc, certificate.not_valid_after_utc)
