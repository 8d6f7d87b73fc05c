"""One tap: agreeing to the terms is enough."""

from __future__ import annotations

from collections.abc import Mapping

from captive_portal.portal.login.method import Accepted, Outcome, Visitor


class OneTap:
    """See LoginMethod. No account: limits are the phone's alone."""

    def attempt(self, _visitor: Visitor, _form: Mapping[str, str], /) -> Outcome:
        """Always accepted: the button says that pressing it agrees to the terms."""
        return Accepted()

    def pending_code(self, _phone: str, /) -> str:
        """See LoginMethod."""
        return ""

    def finish(self, _accepted: Accepted, _opened: bool, /) -> None:
        """Nothing to use up."""
