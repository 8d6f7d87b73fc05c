"""Surprises as exceptions with a stable code and facts, never prose: words for people live with the screens."""

from __future__ import annotations


class HirobaError(Exception):
    """Something broke its contract. ``code`` is stable and dotted; ``facts`` are short and never personal."""

    code = "hiroba.error"

    def __init__(self, **facts: object) -> None:
        super().__init__(self.code)
        self.facts = facts

    def __str__(self) -> str:
        """Code and facts, for logs and developers."""
        return " ".join([self.code, *(f"{k}={v}" for k, v in self.facts.items())])


class SettingsError(HirobaError):
    """A settings file cannot be used. facts: file, line, key, wrong, right."""

    code = "settings.invalid"


class StoreError(HirobaError):
    """The box's database cannot be opened or is damaged. facts: file, reason."""

    code = "store.unusable"


class AuditBroken(HirobaError):
    """The hash chain of the audit does not hold. facts: sequence."""

    code = "audit.chain_broken"


class CardError(HirobaError):
    """The card did not do what its specification says. Parent of all card surprises."""

    code = "card.error"


class CardGone(CardError):
    """The card left the reader in the middle of an exchange."""

    code = "card.gone"


class CardProtocolError(CardError):
    """An unexpected status word or a malformed answer. facts: sw (four hex digits), command (its name)."""

    code = "card.protocol"


class NotAMyNumberCard(CardError):
    """SELECT of the JPKI application failed. facts: token ("juki", "phone", "none")."""

    code = "card.not_my_number"


class PinBlocked(CardError):
    """No tries are left, or one try is left and the kiosk refuses to spend it. facts: remaining."""

    code = "card.pin_blocked"


class ReaderMissing(CardError):
    """The card service runs but no reader is attached."""

    code = "reader.missing"


class CardServiceDown(CardError):
    """pcscd cannot be reached."""

    code = "reader.service_down"


class ReaderBusy(CardError):
    """Another program holds the card."""

    code = "reader.busy"


class ApduForbidden(CardError):
    """A command outside the allow-list (N4) was about to be sent. facts: command."""

    code = "card.apdu_forbidden"


class CredentialRejected(HirobaError):
    """An X.509 credential is not one we trust. facts: reason (chain, validity, profile, revoked, signature)."""

    code = "credential.rejected"


class PrinterError(HirobaError):
    """A printer broke its contract. Parent of printer surprises."""

    code = "printer.error"


class PrinterUnreachable(PrinterError):
    """No answer from the printer in time. facts: printer ("receipt" or "page")."""

    code = "printer.unreachable"


class PrinterRefused(PrinterError):
    """The printer refused the job. facts: status (IPP status code), operation."""

    code = "printer.refused"
