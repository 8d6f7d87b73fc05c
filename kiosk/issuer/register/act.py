"""Who does something to the register, and why. Pure.

The audit keeps both for every look and change, and never a word about a resident: a reason is a short line of staff's
own, and one that names a resident concerned or bears a long number is refused (N3).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from kiosk.issuer.register.errors import RegisterRefused
from kiosk.issuer.register.records import Household, ResidentRecord

MAX_REASON = 120
"""Characters."""
_OPERATOR = re.compile(r"[a-z0-9][a-z0-9-]{1,31}")
_LONG_NUMBER = re.compile(r"(?:\d[\s-]?){11,}")
"""個人番号 has 12 digits, 住民票コード 11."""


@dataclass(frozen=True)
class Act:
    """by: the operator as the site file names staff, no person's name. account: who the system says runs the command.
    proven: the operator's code was given and is right. reason: why, in staff's words.
    """

    by: str
    account: str
    proven: bool
    reason: str

    def facts(self) -> dict[str, object]:
        """For the audit."""
        return {"by": self.by, "account": self.account, "proven": self.proven, "reason": self.reason}


def is_operator(name: str) -> bool:
    """2 to 32 small letters, digits and hyphens: a staff number or an account."""
    return _OPERATOR.fullmatch(name) is not None


def well_formed_reason(text: str) -> str:
    """The line without blanks around it. Raises RegisterRefused("reason")."""
    line = unicodedata.normalize("NFKC", text).strip()
    if not 0 < len(line) <= MAX_REASON or not line.isprintable() or _LONG_NUMBER.search(line):
        raise RegisterRefused("reason", most=MAX_REASON)
    return line


def check_nobody_named(reason: str, people: Iterable[ResidentRecord], houses: Iterable[Household] = ()) -> None:
    """Raises RegisterRefused("reason_names") when the reason holds a name, reading or address of those concerned."""
    line = _plain(reason)
    words = [word for person in people for word in _words(person)] + [_plain(house.address) for house in houses]
    if any(len(word) > 1 and word in line for word in words):
        raise RegisterRefused("reason_names")


def _words(person: ResidentRecord) -> list[str]:
    """Name and reading, whole and by their parts."""
    alias = person.foreign.alias if person.foreign else ""
    told = (person.name, person.kana, alias)
    return [_plain(part) for text in told for part in [text, *text.split()]]


def _plain(text: str) -> str:
    """Without what two ways of writing one name differ in: width, variation selectors, case, blanks."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if not c.isspace() and not 0xE0100 <= ord(c) <= 0xE01EF)
