"""Base45 (RFC 9285): bytes as the 45 characters a QR code packs best. Pure."""

from __future__ import annotations

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}


def encode(content: bytes) -> str:
    """Three characters for two bytes, two for a last single one (§4)."""
    found = []
    for place in range(0, len(content), 2):
        pair = content[place : place + 2]
        number = int.from_bytes(pair)
        for _ in range(len(pair) + 1):
            number, digit = divmod(number, 45)
            found.append(_ALPHABET[digit])
    return "".join(found)


def decode(text: str) -> bytes:
    """Raises ValueError for what ``encode`` never writes (§6)."""
    if any(character not in _VALUES for character in text) or len(text) % 3 == 1:
        raise ValueError("not Base45")
    found = bytearray()
    for place in range(0, len(text), 3):
        group = text[place : place + 3]
        number = sum(_VALUES[character] * 45**power for power, character in enumerate(group))
        found += number.to_bytes(len(group) - 1) if number < 256 ** (len(group) - 1) else _overflow()
    return bytes(found)


def _overflow() -> bytes:
    raise ValueError("not Base45")
