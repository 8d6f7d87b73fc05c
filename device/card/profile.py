"""Every number of the present card in one place: the next card is another profile (docs/sources.md#next-card)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CardProfile:
    """AIDs and EF ids as in docs/sources.md#card-files; digest_prefix: DER of DigestInfo before the hash;
    sizes in bytes. tokens: text of the token-info EF -> "my_number", "juki" or "phone".
    """

    application: bytes
    token_file: int
    credential_file: int
    key_file: int
    pin_file: int
    token_bytes: int
    pin_digits: int
    pin_tries: int
    digest: str
    digest_prefix: bytes
    digest_bytes: int
    signature_bytes: int
    tokens: tuple[tuple[str, str], ...]

    @property
    def readable(self) -> frozenset[int]:
        """The EFs the kiosk may read: token info and user-authentication credential. Nothing else (N4)."""
        return frozenset({self.token_file, self.credential_file})

    @property
    def selectable(self) -> frozenset[int]:
        """The EFs the kiosk may select: the readable ones, the PIN and its key."""
        return self.readable | {self.pin_file, self.key_file}


PRESENT_CARD = CardProfile(
    application=bytes.fromhex("D392F000260100000001"),
    token_file=0x0006,
    credential_file=0x000A,
    key_file=0x0017,
    pin_file=0x0018,
    token_bytes=0x20,
    pin_digits=4,
    pin_tries=3,
    digest="sha256",
    digest_prefix=bytes.fromhex("3031300d060960864801650304020105000420"),
    digest_bytes=32,
    signature_bytes=256,
    tokens=(("JPKIAPICCTOKEN2", "my_number"), ("JPKIAPICCTOKEN", "juki"), ("JPKIAPGPSETOKEN", "phone")),
)
