"""Errors of the issuer and of the connection to it."""

from __future__ import annotations

from device.errors import HirobaError


class IssuerUnreachable(HirobaError):
    """No answer from the issuer in time. facts: operation."""

    code = "issuer.unreachable"


class IssuerBroken(HirobaError):
    """The issuer answered with a fault or with something that is not the protocol. facts: operation, status, code."""

    code = "issuer.broken"


class IssuerBusy(HirobaError):
    """The issuer takes no more of this kiosk for a while, as it tells with 429. facts: operation."""

    code = "issuer.busy"


class LinkInsecure(HirobaError):
    """[issuer_link] url is neither https nor this box's own issuer: nobody would know who answers. facts: url."""

    code = "issuer.link_insecure"


class NoCredential(HirobaError):
    """The files by which issuer and kiosk know each other cannot be used. facts: file."""

    code = "issuer.no_credential"


class TooMany(HirobaError):
    """A kiosk asked for more than it may. Over HTTP: 429 with this code. facts: kiosk, limit, first (of this kiosk and
    limit for a while).
    """

    code = "kiosk.too_many"


class RequestUnknown(HirobaError):
    """The issuer's ledger knows no such request from this kiosk. Over HTTP: 404 with this code. facts: none."""

    code = "request.unknown"


class RegisterFileError(HirobaError):
    """A register file cannot be imported. facts: file, line, reason (never a value from the file)."""

    code = "register.file"


class FontMissing(HirobaError):
    """IPAmj Mincho is in none of the font folders. facts: font, folders."""

    code = "issuer.font_missing"


class PaperOverrun(HirobaError):
    """typst made another number of pages than planned; the paper is not issued. facts: pages, planned."""

    code = "issuer.paper_overrun"
