"""What the kiosk may say to a card, as a list; anything else never leaves the box (N4).

Only the JPKI application, only its token info, user-authentication credential, PIN and key. The individual number, the
signature credential with its four attributes, and CHANGE PIN are not on the list, so no order of commands reaches them:
reading or signing needs a file that was selected over this same connection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from device.card.apdu import OK, Command
from device.card.profile import PRESENT_CARD, CardProfile
from device.card.transport import CardTransport, Response
from device.errors import ApduForbidden, CardGone, CardServiceDown
from device.secrets import overwrite

CURRENT_FILE = 0x80
"""VERIFY reference of the PIN EF that is selected now."""


_VERIFY = 0x20


@dataclass(frozen=True)
class Selection:
    """What this connection itself brought about: application selected, current EF (None: none we know of), and whether
    the card announced more data.
    """

    selected: bool = False
    file: int | None = None
    more: bool = False


def allowed(command: Command, selection: Selection, profile: CardProfile) -> bool:
    """Whether ``command`` is on the list, given what was selected before."""
    rule = _RULES.get((command.cla, command.ins))
    return rule is not None and rule(command, selection, profile)


def after(command: Command, sw: int, selection: Selection) -> Selection:
    """The selection after the card has answered ``sw``."""
    done, more = sw == OK or sw >> 8 in {0x61, 0x62}, sw >> 8 == 0x61
    match command.ins:
        case 0xA4 if command.p1 == 0x04:
            return Selection(done, None, more)
        case 0xA4:
            return Selection(True, int.from_bytes(command.data, "big") if done else None, more)
        case 0xB0 if command.p1 & 0x80:
            return Selection(True, command.p1 & 0x1F if done else None, more)
        case 0x20 if command.p2 != CURRENT_FILE:
            return Selection(True, None, more)  # cards differ on whether this moves the current EF
    return Selection(selection.selected, selection.file, more)


def _select(command: Command, selection: Selection, profile: CardProfile) -> bool:
    if command.le is not None:
        return False
    if (command.p1, command.p2) == (0x04, 0x0C):
        return command.data == profile.application
    if (command.p1, command.p2) != (0x02, 0x0C) or len(command.data) != 2:
        return False
    return selection.selected and int.from_bytes(command.data, "big") in profile.selectable


def _read(command: Command, selection: Selection, profile: CardProfile) -> bool:
    if command.data or command.le is None or not selection.selected:
        return False
    if command.p1 & 0x80:
        return command.p1 & 0x60 == 0 and command.p1 & 0x1F in profile.readable
    return selection.file in profile.readable


def _verify(command: Command, selection: Selection, profile: CardProfile) -> bool:
    if command.p1 != 0 or command.le is not None or not selection.selected:
        return False
    digits = len(command.data) == profile.pin_digits and all(0x30 <= byte <= 0x39 for byte in command.data)
    if command.data and not digits:
        return False
    return command.p2 == CURRENT_FILE | profile.pin_file or (
        command.p2 == CURRENT_FILE and selection.file == profile.pin_file
    )


def _sign(command: Command, selection: Selection, profile: CardProfile) -> bool:
    digest = command.data.removeprefix(profile.digest_prefix)
    well_formed = len(digest) == profile.digest_bytes and len(command.data) == len(digest) + len(profile.digest_prefix)
    return well_formed and (command.p1, command.p2) == (0x00, 0x80) and selection.file == profile.key_file


def _get_response(command: Command, selection: Selection, profile: CardProfile) -> bool:
    del profile
    return selection.more and (command.p1, command.p2, command.data) == (0, 0, b"") and command.le is not None


_RULES: dict[tuple[int, int], Callable[[Command, Selection, CardProfile], bool]] = {
    (0x00, 0xA4): _select,
    (0x00, 0xB0): _read,
    (0x00, 0x20): _verify,
    (0x80, 0x2A): _sign,
    (0x00, 0xC0): _get_response,
}


class AllowListed:
    """The only way to a card: every reader driver hands out its connection inside this."""

    def __init__(self, inner: CardTransport, profile: CardProfile = PRESENT_CARD) -> None:
        self._inner = inner
        self._profile = profile
        self._selection = Selection()

    def transmit(self, apdu: bytes) -> Response:
        """See CardTransport. Raises ApduForbidden before anything is sent; its facts hold no body."""
        command = self._permitted(apdu)
        before, self._selection = self._selection, Selection()
        try:
            response = self._inner.transmit(apdu)
        except (CardGone, CardServiceDown):
            self._selection = before  # the connection is dead: let its own error be the one that is seen again
            raise
        finally:
            if command.ins == _VERIFY:
                overwrite(command.data)  # the PIN's digits
        self._selection = after(command, response.sw, before)
        return response

    def close(self) -> None:
        """See CardTransport."""
        self._inner.close()

    def _permitted(self, apdu: bytes) -> Command:
        try:
            command = Command.parse(apdu)
        except ValueError as error:
            raise ApduForbidden(command="malformed") from error
        # Only one spelling of each command: what was checked is what the card will read.
        spelt = command.encode()
        same = spelt == apdu
        if command.ins == _VERIFY:
            overwrite(spelt)
        if not same or not allowed(command, self._selection, self._profile):
            raise ApduForbidden(command=apdu[:4].hex())
        return command
