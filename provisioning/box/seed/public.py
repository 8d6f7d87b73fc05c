"""What staff hand to ``hiroba seed`` must be public: a private key given by mistake would be on every card. Pure."""

from __future__ import annotations

import json
import re
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from provisioning.errors import NotPublic

_KINDS = r"ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com"
_SSH_KEY = re.compile(rf"(?:{_KINDS}) AAAA[A-Za-z0-9+/]+={{0,3}}(?: .*)?")


def ssh_keys(text: str, file: Path) -> list[str]:
    """The public keys in ``text``, as in authorized_keys without options; notes (#) are left out. Raises NotPublic."""
    lines = [line.strip() for line in text.splitlines()]
    found = [line for line in lines if line and not line.startswith("#")]
    if not found or not all(_SSH_KEY.fullmatch(line) for line in found):
        raise NotPublic(file=file, wanted="ssh-key")
    return found


def certificates(text: str, file: Path) -> str:
    """The certificates in ``text`` (PEM) and nothing beside them. Raises NotPublic."""
    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        raise NotPublic(file=file, wanted="certificate") from error
    if "PRIVATE KEY" in text:
        raise NotPublic(file=file, wanted="certificate")
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in found)


def root_metadata(text: str, file: Path) -> str:
    """``text``, which is TUF's root metadata. Raises NotPublic."""
    try:
        tree = json.loads(text)
        signed = isinstance(tree, dict) and isinstance(tree.get("signatures"), list) and tree["signed"]["_type"]
    except (ValueError, KeyError, TypeError) as error:
        raise NotPublic(file=file, wanted="root-metadata") from error
    if signed != "root":
        raise NotPublic(file=file, wanted="root-metadata")
    return text
