"""The My Number card as the kiosk uses it: which card it is, tries left, PIN, credential, signature.

Tries the short-EF and extended-length forms first and falls back to SELECT and reads of 256 bytes, remembering what
this card understands (docs/sources.md#card-commands). Never repeats a PIN by itself; a PIN's fate is re-read from the
card when an answer was lost. One user at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from device.card import apdu
from device.card.allow_list import CURRENT_FILE, AllowListed
from device.card.apdu import OK, WHOLE_EXTENDED, WHOLE_SHORT, Command, Continued
from device.card.bounded import BoundedTransport, CardTooSlow
from device.card.profile import PRESENT_CARD, CardProfile
from device.card.transport import CardTransport, Response
from device.errors import CardProtocolError, NotAMyNumberCard
from device.secrets import Pin, overwrite

_BLOCKED = frozenset({0x6983, 0x6984})
_DER_HEADER = 4
MAX_CREDENTIAL = 8192
"""Bytes; those of today's cards have less than 2,048."""
MIN_READ = 64
"""Bytes that a READ gives, unless less is left: a card that gives fewer gets nowhere."""


@dataclass(frozen=True)
class PinAccepted:
    """The card took the PIN; it signs until the connection ends."""


@dataclass(frozen=True)
class PinWrong:
    """Wrong, and ``remaining`` tries are left."""

    remaining: int


@dataclass(frozen=True)
class PinStopped:
    """No PIN may be tried here. ``remaining`` 0: the card is blocked; 1: the last try is the holder's to keep, and the
    kiosk did not spend it.
    """

    remaining: int


PinResult = PinAccepted | PinWrong | PinStopped


class MyNumberCard:
    """One card on one open connection. Call ``select`` first. Every method raises CardGone when the card leaves and
    CardProtocolError when it answers what its specification does not allow.
    """

    def __init__(
        self,
        transport: CardTransport,
        profile: CardProfile = PRESENT_CARD,
        *,
        extended: bool = True,
        bounds: Callable[[CardTransport], BoundedTransport] = BoundedTransport,
    ) -> None:
        self._bounds = bounds(transport)
        self._transport = Continued(AllowListed(self._bounds, profile))
        self._profile = profile
        self._short_ef = True
        self._extended = extended
        self._file: int | None = None
        self._pin_reference: int | None = None
        self._remaining: int | None = None

    def select(self) -> None:
        """Select the JPKI application and see that it is on a My Number card.

        Raises NotAMyNumberCard with token "juki", "phone" or "none" (docs/sources.md#card-files).
        """
        self._bounds.begin()
        self._file = self._remaining = None
        if self._send(apdu.select_application(self._profile.application)).sw != OK:
            raise NotAMyNumberCard(token="none")  # noqa: S106 - the kind of card, not a password
        kind = self._kind()
        if kind != "my_number":
            raise NotAMyNumberCard(token=kind)

    def tries_left(self) -> int:
        """PIN tries left, asked from the card; costs none."""
        self._bounds.begin()
        sw = self._pin_status()
        self._remaining = _tries(sw, self._profile)
        if self._remaining is None:
            raise _unexpected(sw, "pin_status")
        return self._remaining

    def verify(self, pin: Pin) -> PinResult:
        """Hand the PIN to the card, once. With one try or none left the card is not asked (PinStopped)."""
        self._bounds.begin()
        remaining = self._remaining if self._remaining is not None else self.tries_left()
        if remaining <= 1:
            return PinStopped(remaining)
        reference = self._reference()
        self._remaining = None  # until the card has told: a lost answer does not mean a spent try
        sw = self._hand_over(reference, pin)
        left = _tries(sw, self._profile)
        if left is None:
            raise _unexpected(sw, "verify")
        self._remaining = left
        if sw == OK:
            return PinAccepted()
        return PinWrong(left) if left else PinStopped(0)

    def _hand_over(self, reference: int, pin: Pin) -> int:
        """The status word of VERIFY. What held the digits on the way is overwritten, whatever happens."""
        digits = pin.reveal()
        command = apdu.verify(reference, digits).encode()
        try:
            return self._transport.transmit(command).sw
        finally:
            overwrite(digits)
            overwrite(command)

    def credential(self) -> bytes:
        """The user-authentication certificate, DER; free to read without a PIN (docs/sources.md#card-files)."""
        self._bounds.begin()
        read = self._open(self._profile.credential_file, WHOLE_EXTENDED if self._extended else WHOLE_SHORT)
        total = _der_length(read)
        while len(read) < total:
            wanted = min(WHOLE_SHORT, total - len(read))
            response = self._send(apdu.read_binary(len(read), wanted))
            if len(response.data) < min(wanted, MIN_READ):
                raise _unexpected(response.sw, "read_binary")
            read += response.data
        return read[:total]

    def sign(self, message: bytes) -> bytes:
        """The card's signature over ``message`` (hashed here). Needs PinAccepted before, on this connection."""
        self._bounds.begin()
        self._select_file(self._profile.key_file)
        digest = hashlib.new(self._profile.digest, message).digest()
        response = self._send(apdu.sign(self._profile.digest_prefix + digest))
        if response.sw != OK or len(response.data) != self._profile.signature_bytes:
            raise _unexpected(response.sw, "sign")
        return response.data

    def close(self) -> None:
        """Power the card down, so that no PIN state survives. Safe to repeat."""
        self._transport.close()

    def _send(self, command: Command) -> Response:
        return self._transport.transmit(command.encode())

    def _kind(self) -> str:
        try:
            text = self._open(self._profile.token_file, self._profile.token_bytes)
        except CardTooSlow:
            raise
        except CardProtocolError:
            return "none"
        return dict(self._profile.tokens).get(text.rstrip(b"\0 ").decode("ascii", "replace"), "none")

    def _open(self, file: int, le: int) -> bytes:
        """Make ``file`` current and read its first bytes, by the best form this card has not yet refused."""
        while True:
            wanted = le if self._extended else min(le, WHOLE_SHORT)
            if self._short_ef:
                response = self._send(apdu.read_short_file(file, wanted))
            else:
                self._select_file(file)
                response = self._send(apdu.read_binary(0, wanted))
            if response.data:
                self._file = file
                return response.data
            self._step_back(wanted, response.sw)

    def _step_back(self, wanted: int, sw: int) -> None:
        """Remember what the card refused. Raises CardProtocolError when the plainest form was refused too."""
        if wanted > WHOLE_SHORT:
            self._extended = False
        elif self._short_ef:
            self._short_ef, self._file = False, None
        else:
            raise _unexpected(sw, "read_binary")

    def _select_file(self, file: int) -> None:
        if self._file == file:
            return
        self._file = None
        sw = self._send(apdu.select_file(file)).sw
        if sw != OK:
            raise _unexpected(sw, "select_file")
        self._file = file

    def _pin_status(self) -> int:
        sw = self._send(apdu.pin_status(self._reference())).sw
        if _tries(sw, self._profile) is None and self._pin_reference != CURRENT_FILE:
            self._pin_reference = CURRENT_FILE
            sw = self._send(apdu.pin_status(self._reference())).sw
        return sw

    def _reference(self) -> int:
        """How to name the PIN to this card; selects its EF where that is needed."""
        if self._pin_reference is None:
            self._pin_reference = CURRENT_FILE | self._profile.pin_file if self._short_ef else CURRENT_FILE
        if self._pin_reference == CURRENT_FILE:
            self._select_file(self._profile.pin_file)
        else:
            self._file = None  # cards differ on whether VERIFY by short id moves the current EF
        return self._pin_reference


def _tries(sw: int, profile: CardProfile) -> int | None:
    """Tries left as ``sw`` tells them, None when it tells nothing. 9000: the PIN holds, so all tries are back."""
    if sw == OK:
        return profile.pin_tries
    if sw >> 4 == 0x63C:
        return sw & 0xF
    return 0 if sw in _BLOCKED else None


def _der_length(head: bytes) -> int:
    """Bytes of a certificate by its ``head``: SEQUENCE, two length bytes (docs/sources.md#card-commands)."""
    if len(head) < _DER_HEADER or head[:2] != b"\x30\x82":
        raise CardProtocolError(sw=f"{OK:04X}", command="read_binary")
    total = _DER_HEADER + int.from_bytes(head[2:4], "big")
    if total > MAX_CREDENTIAL:
        raise CardProtocolError(sw=f"{OK:04X}", command="read_binary")
    return total


def _unexpected(sw: int, command: str) -> CardProtocolError:
    return CardProtocolError(sw=f"{sw:04X}", command=command)
