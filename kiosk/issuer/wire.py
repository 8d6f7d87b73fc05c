"""The base of the messages between kiosk and issuer."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

MAX_LANGUAGES = 24
MAX_WORDS = 400
"""Characters of one text."""

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
"""What may stand in an HTML attribute, an audit line and a path as it is."""
Text = Annotated[str, Meta(max_length=MAX_WORDS)]
Token = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
"""A random name that opens something."""
RequestText = Annotated[str, Meta(max_length=128)]
"""Perhaps a request's id: ``eligibility.is_request_id`` says."""
TokenOrNone = Annotated[str, Meta(pattern=r"^([A-Za-z0-9_-]{8,64})?$")]
Signature = Annotated[bytes, Meta(max_length=512)]
CredentialDer = Annotated[bytes, Meta(max_length=4096)]
"""A card's signature is 256 bytes, its credential about 1,600."""
ByLanguage = Annotated[dict[Name, Text], Meta(max_length=MAX_LANGUAGES)]
"""Language -> words. Japanese ("ja") is always there; a kiosk falls back to English and then to Japanese."""


class WireStruct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Frozen, closed to unknown fields, every list and text bounded where it is read."""


def learn_types(*more: type[msgspec.Struct]) -> None:
    """Let msgspec look at every message, and ``more``, once and in one thread: two threads that meet a struct type for
    the first time at the same moment can crash the process (msgspec 0.22). Called where ports are put together.
    """
    for schema in (*WireStruct.__subclasses__(), *more):
        msgspec.json.Decoder(schema)
