"""The logic of the virtual chip: command bytes in, response bytes out; only its PIN counters survive a power-down.

Answers as docs/sources.md#card-commands tells of real cards, to what a kiosk or OpenSC sends. Two applications:
JPKI, and input support with a made-up number that nobody may ever reach.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo

from device.card.apdu import WHOLE_SHORT, Command
from device.card.virtual.pki import CardFacts, load_card_key
from device.files import atomic_write

JPKI = bytes.fromhex("D392F000260100000001")
INPUT_SUPPORT = bytes.fromhex("D3921000310001010408")
ATR = bytes.fromhex("3B888001000005E0B381A1007F")
"""A JPKI card on a contactless reader, T=0 and T=1 (docs/sources.md#card-interface)."""
MADE_UP_NUMBER = b"000000000000"
_TOKEN_BYTES = 0x20
_PKCS1_OVERHEAD = 11


class PinFile(msgspec.Struct, frozen=True):
    """A PIN's EF: its secret and how many tries it starts with."""

    secret: bytes
    tries: int


@dataclass(frozen=True)
class KeyFile:
    """A private key's EF and the PIN EF that opens it."""

    key: rsa.RSAPrivateKey
    pin: int


@dataclass(frozen=True)
class DataFile:
    """A transparent EF; ``pin``: the PIN EF that must be verified before it may be read, None when it is free."""

    content: bytes
    pin: int | None = None


File = PinFile | KeyFile | DataFile


@dataclass(frozen=True)
class CardImage:
    """What one chip holds: application (AID) -> EF id -> file; and which newer APDU forms it understands."""

    applications: dict[bytes, dict[int, File]]
    short_ef: bool = True
    extended: bool = True


class TriesKeeper(Protocol):
    """Where a chip keeps its PIN counters over a power-down."""

    def left(self, pin: str, otherwise: int) -> int:
        """Tries left of ``pin``, ``otherwise`` when it was never touched."""
        ...

    def keep(self, pin: str, left: int) -> None:
        """Remember, before the answer goes out."""
        ...


class TriesInMemory:
    """Counters for a test that needs no file."""

    def __init__(self) -> None:
        self._left: dict[str, int] = {}

    def left(self, pin: str, otherwise: int) -> int:
        """See TriesKeeper."""
        return self._left.get(pin, otherwise)

    def keep(self, pin: str, left: int) -> None:
        """See TriesKeeper."""
        self._left[pin] = left


class TriesFile:
    """Counters in a small JSON file beside the card's keys, as a real chip keeps them in its own memory."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def left(self, pin: str, otherwise: int) -> int:
        """See TriesKeeper. An unreadable file counts as untouched: it is a test card, and the demo must go on."""
        return self._read().get(pin, otherwise)

    def keep(self, pin: str, left: int) -> None:
        """See TriesKeeper."""
        atomic_write(self._path, msgspec.json.encode(self._read() | {pin: left}), mode=0o600, durable=False)

    def _read(self) -> dict[str, int]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, int])
        except (OSError, msgspec.MsgspecError):
            return {}


class VirtualCard:
    """One chip. ``transmit`` never raises: whatever comes in, a status word goes out."""

    def __init__(self, image: CardImage, tries: TriesKeeper) -> None:
        self._image = image
        self._tries = tries
        self.power_off()

    @classmethod
    def load(cls, folder: Path) -> VirtualCard:
        """The card in ``folder`` as TestPki made it; its counters live in tries.json there."""
        return cls(load_image(folder), TriesFile(folder / "tries.json"))

    def power_off(self) -> None:
        """All volatile state is lost: application, current EF, verified PINs."""
        self._application: bytes | None = None
        self._file: int | None = None
        self._verified: set[int] = set()

    def transmit(self, apdu: bytes) -> bytes:
        """Response data and status word for one command."""
        try:
            command = Command.parse(apdu)
        except ValueError:
            return _sw(0x6700)
        # An extended form may also carry what would fit a short one: the second length byte gives it away.
        if not self._image.extended and len(apdu) > 5 and apdu[4] == 0:
            return _sw(0x6700)
        return self._answer(command)

    def _answer(self, command: Command) -> bytes:
        if command.cla not in {0x00, 0x80}:
            return _sw(0x6E00)
        handlers: dict[int, tuple[int, Callable[[Command], bytes]]] = {
            0xA4: (0x00, self._select),
            0xB0: (0x00, self._read),
            0x20: (0x00, self._verify),
            0x2A: (0x80, self._sign),
        }
        cla, handler = handlers.get(command.ins, (None, None))
        if handler is None:
            return _sw(0x6D00)
        return handler(command) if command.cla == cla else _sw(0x6E00)

    @property
    def _files(self) -> dict[int, File]:
        return {} if self._application is None else self._image.applications[self._application]

    def _select(self, command: Command) -> bytes:
        if command.p1 == 0x04:
            return self._select_application(command.data)
        if command.p1 != 0x02 or len(command.data) != 2:
            return _sw(0x6A86)
        file = int.from_bytes(command.data, "big")
        if file not in self._files:
            return _sw(0x6A82)
        self._file = file
        return _sw(0x9000)

    def _select_application(self, aid: bytes) -> bytes:
        if aid not in self._image.applications:
            return _sw(0x6A82)
        # Security state ends with a SELECT, also of the same application (docs/sources.md#card-commands).
        self.power_off()
        self._application = aid
        return _sw(0x9000)

    def _read(self, command: Command) -> bytes:
        if command.data or command.le is None:
            return _sw(0x6700)
        offset = command.p1 << 8 | command.p2
        if command.p1 & 0x80:
            short, offset = command.p1 & 0x1F, command.p2
            if not self._image.short_ef or command.p1 & 0x60:
                return _sw(0x6A86)
            if short not in self._files:
                return _sw(0x6A82)
            self._file = short
        return self._read_from(offset, command.le)

    def _read_from(self, offset: int, le: int) -> bytes:
        file = self._files.get(self._file) if self._file is not None else None
        if file is None:
            return _sw(0x6986)
        if not isinstance(file, DataFile):
            return _sw(0x6981)
        if file.pin is not None and file.pin not in self._verified:
            return _sw(0x6982)
        if offset >= len(file.content):
            return _sw(0x6B00)
        return file.content[offset : offset + le] + _sw(0x9000)

    def _verify(self, command: Command) -> bytes:
        if command.p1 != 0 or not command.p2 & 0x80:
            return _sw(0x6A86)
        name = command.p2 & 0x7F
        if name and not self._image.short_ef:
            return _sw(0x6A86)
        number = name or self._file
        pin = self._files.get(number) if number is not None else None
        if number is None or not isinstance(pin, PinFile):
            return _sw(0x6A88)
        left = self._tries.left(self._pin_name(number), pin.tries)
        return self._compare(number, pin, left, command.data) if command.data else _sw(0x63C0 | left)

    def _compare(self, number: int, pin: PinFile, left: int, typed: bytes) -> bytes:
        self._verified.discard(number)
        if left == 0:
            return _sw(0x6983)
        # A try is spent before the comparison, so that pulling the card buys none.
        self._tries.keep(self._pin_name(number), left - 1)
        if not hmac.compare_digest(typed, pin.secret):
            return _sw(0x63C0 | left - 1)
        self._tries.keep(self._pin_name(number), pin.tries)
        self._verified.add(number)
        return _sw(0x9000)

    def _pin_name(self, number: int) -> str:
        return f"{(self._application or b'').hex()}/{number:04X}"

    def _sign(self, command: Command) -> bytes:
        if (command.p1, command.p2) != (0x00, 0x80):
            return _sw(0x6A86)
        file = self._files.get(self._file) if self._file is not None else None
        if not isinstance(file, KeyFile):
            return _sw(0x6986)
        if file.pin not in self._verified:
            return _sw(0x6982)
        size = file.key.key_size // 8
        if not 0 < len(command.data) <= size - _PKCS1_OVERHEAD or (command.le or WHOLE_SHORT) < size:
            return _sw(0x6700)
        return file.key.sign(command.data, padding.PKCS1v15(), NoDigestInfo()) + _sw(0x9000)


def load_image(folder: Path) -> CardImage:
    """The chip content that TestPki wrote into ``folder``."""
    facts = msgspec.json.decode((folder / "card.json").read_bytes(), type=CardFacts)
    if not facts.token:
        return CardImage({}, facts.short_ef, facts.extended)
    jpki: dict[int, File] = {
        0x0001: DataFile((folder / "sign.der").read_bytes(), pin=0x001B),
        0x0002: DataFile((folder / "sign_ca.der").read_bytes()),
        0x0006: DataFile(facts.token.encode().ljust(_TOKEN_BYTES, b"\0")),
        0x000A: DataFile((folder / "auth.der").read_bytes()),
        0x000B: DataFile((folder / "auth_ca.der").read_bytes()),
        0x0017: KeyFile(load_card_key(folder / "auth.key"), pin=0x0018),
        0x0018: PinFile(facts.pin.encode(), tries=3),
        0x001A: KeyFile(load_card_key(folder / "sign.key"), pin=0x001B),
        0x001B: PinFile(facts.signing_password.encode(), tries=5),
    }
    number: dict[int, File] = {
        0x0001: DataFile(b"\xff\x10\x0c" + MADE_UP_NUMBER, pin=0x0011),
        0x0011: PinFile(facts.pin.encode(), tries=3),
    }
    return CardImage({JPKI: jpki, INPUT_SUPPORT: number}, facts.short_ef, facts.extended)


def _sw(status: int) -> bytes:
    return status.to_bytes(2, "big")
