"""Bech32, the checked alphabet in which age writes its keys (BIP 173, without its limit of 90 characters). Pure."""

from __future__ import annotations

from collections.abc import Iterable

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def encode(prefix: str, value: bytes) -> str:
    """``value`` as lower-case text that begins with ``prefix``, a 1 between, six check characters at its end."""
    words = _regroup(value, 8, 5, pad=True)
    checked = _polymod([*_expand(prefix), *words, 0, 0, 0, 0, 0, 0]) ^ 1
    check = [(checked >> 5 * (5 - place)) & 31 for place in range(6)]
    return f"{prefix}1" + "".join(_ALPHABET[word] for word in (*words, *check))


def decode(prefix: str, text: str) -> bytes | None:
    """The value of ``text``, or None when its prefix, alphabet, case or check does not hold."""
    if text not in (text.lower(), text.upper()):
        return None
    found, _, rest = text.lower().rpartition("1")
    if found != prefix or len(rest) < 6 or any(letter not in _ALPHABET for letter in rest):
        return None
    words = [_ALPHABET.index(letter) for letter in rest]
    if _polymod([*_expand(prefix), *words]) != 1:
        return None
    return bytes(_regroup(words[:-6], 5, 8, pad=False))


def _polymod(words: Iterable[int]) -> int:
    check = 1
    for word in words:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ word
        for place, value in enumerate(_GENERATOR):
            check ^= value if (top >> place) & 1 else 0
    return check


def _expand(prefix: str) -> list[int]:
    return [*(ord(letter) >> 5 for letter in prefix), 0, *(ord(letter) & 31 for letter in prefix)]


def _regroup(words: Iterable[int], source: int, target: int, *, pad: bool) -> list[int]:
    """Bits of ``words`` in groups of another width; left-over bits are filled with zeros or, when decoding, dropped."""
    buffer, bits, groups = 0, 0, []
    for word in words:
        buffer, bits = buffer << source | word, bits + source
        while bits >= target:
            bits -= target
            groups.append(buffer >> bits & (1 << target) - 1)
    if pad and bits:
        groups.append(buffer << target - bits & (1 << target) - 1)
    return groups
