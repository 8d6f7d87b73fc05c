"""One tap: agreeing to the terms is enough."""

from __future__ import annotations

from collections.abc import Mapping

from captive_portal.portal.login.method import Outcome, Pass, Visitor


class OneTap:
    """See LoginMethod. No account: limits are the phone's alone."""

    def attempt(self, _visitor: Visitor, _form: Mapping[str, str], /) -> Outcome:
        """Always passes; the button said what pressing it means."""
        return Pass()

    def waiting(self, _phone: str, /) -> str:
        """See LoginMethod."""
        return ""

    def settle(self, _passed: Pass, _opened: bool, /) -> None:
        """Nothing is used up by a tap."""
