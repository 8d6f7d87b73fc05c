"""Security keys and passkeys (W3C Web Authentication Level 2); the only importer of webauthn.

As a second factor: user presence is asked for, verification by PIN or finger where the key has it. No attestation: a
city trusts the keys that its staff bring, and learns nothing of their make. The library loads at the first use.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

MAX_ANSWER_LETTERS = 8192
"""Of what a browser sends; more than any key's answer without attestation."""
_CHALLENGE_BYTES = 32


@dataclass(frozen=True)
class RelyingParty:
    """Whom keys are registered with: a DNS name, and the origins of pages that may ask them."""

    name: str
    origins: tuple[str, ...]
    title: str


@dataclass(frozen=True)
class RegisteredKey:
    """A key. credential, public_key: base64url. counter: of its last signature; 0 for keys that do not count."""

    credential: str
    public_key: str
    counter: int


def relying_party(names: Sequence[str], port: int, title: str) -> RelyingParty | None:
    """The first DNS name that staff may type; None when there are addresses alone (a key knows names only)."""
    name = next((one for one in names if not _is_address(one)), None)
    if name is None:
        return None
    return RelyingParty(name, (f"https://{name}:{port}", f"https://{name}"), f"Hiroba {title}".strip())


def new_challenge() -> str:
    """Random, base64url; used once."""
    return secrets.token_urlsafe(_CHALLENGE_BYTES)


def registration_options(party: RelyingParty, staff: str, challenge: str, known: Sequence[str]) -> str:
    """JSON for navigator.credentials.create. known: ids of keys that are registered already."""
    import webauthn
    from webauthn.helpers.structs import AuthenticatorSelectionCriteria, UserVerificationRequirement

    options = webauthn.generate_registration_options(
        rp_id=party.name,
        rp_name=party.title,
        user_name=staff,
        user_id=staff.encode(),
        challenge=_bytes(challenge),
        exclude_credentials=_descriptors(known),
        authenticator_selection=AuthenticatorSelectionCriteria(user_verification=UserVerificationRequirement.PREFERRED),
    )
    return webauthn.options_to_json(options)


def authentication_options(party: RelyingParty, challenge: str, known: Sequence[str]) -> str:
    """JSON for navigator.credentials.get."""
    import webauthn

    return webauthn.options_to_json(
        webauthn.generate_authentication_options(
            rp_id=party.name, challenge=_bytes(challenge), allow_credentials=_descriptors(known)
        )
    )


def registered(party: RelyingParty, challenge: str, answer: str) -> RegisteredKey | None:
    """The new key behind a browser's answer, or None when the answer is not right."""
    import webauthn
    from webauthn.helpers.exceptions import WebAuthnException

    if len(answer) > MAX_ANSWER_LETTERS or not challenge:
        return None
    try:
        made = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=_bytes(challenge),
            expected_rp_id=party.name,
            expected_origin=list(party.origins),
        )
    except (WebAuthnException, ValueError, TypeError, KeyError):
        return None
    return RegisteredKey(_text(made.credential_id), _text(made.credential_public_key), made.sign_count)


def credential_of(answer: str) -> str:
    """Which key an answer says it is of, or "" for anything else."""
    from webauthn.helpers import parse_authentication_credential_json
    from webauthn.helpers.exceptions import WebAuthnException

    if len(answer) > MAX_ANSWER_LETTERS:
        return ""
    try:
        return _text(parse_authentication_credential_json(answer).raw_id)
    except (WebAuthnException, ValueError, TypeError, KeyError):
        return ""


def counter_of_right_answer(party: RelyingParty, challenge: str, answer: str, key: RegisteredKey) -> int | None:
    """The key's new counter when its signature is right, else None; also when the counter did not go on (a copy)."""
    import webauthn
    from webauthn.helpers.exceptions import WebAuthnException

    if not challenge:
        return None
    try:
        right = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=_bytes(challenge),
            expected_rp_id=party.name,
            expected_origin=list(party.origins),
            credential_public_key=_bytes(key.public_key),
            credential_current_sign_count=key.counter,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError):
        return None
    return right.new_sign_count


def _descriptors(known: Sequence[str]) -> list[PublicKeyCredentialDescriptor]:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return [PublicKeyCredentialDescriptor(id=_bytes(one)) for one in known]


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
