"""Surprises of the command line."""

from __future__ import annotations

import errno

from device.errors import HirobaError


class SectionMissing(HirobaError):
    """The site file lacks a section this process runs by. facts: file, section, process."""

    code = "settings.section_missing"


class PortTaken(HirobaError):
    """Someone else listens there. facts: host, port."""

    code = "port.taken"


class NotForNginx(HirobaError):
    """A setting or a folder's name has a character that nginx's own file would read as something else. facts: key,
    folder.
    """

    code = "nginx.unusable_setting"


class PortNotAllowed(HirobaError):
    """The address is not ours or the port needs a right we lack. facts: host, port, reason."""

    code = "port.not_allowed"


class ProgramMissing(HirobaError):
    """A Debian program is not installed. facts: program, package."""

    code = "program.missing"


class RootNeeded(HirobaError):
    """facts: command, reason."""

    code = "root.needed"


class DemoNotReady(HirobaError):
    """A process of the demo did not come up. facts: process, reason, log."""

    code = "demo.not_ready"


class DemoVisitFailed(HirobaError):
    """The demo's visit stopped before its end. facts: screen, reason, log."""

    code = "demo.visit_failed"


class CheckoutNeeded(HirobaError):
    """facts: command, folder."""

    code = "checkout.needed"


class NotFound(HirobaError):
    """facts: what_ja, what_en, name."""

    code = "not_found"


class VoucherNotTaken(HirobaError):
    """No spot of the site file has the voucher log-in: vouchers would be worthless. facts: file."""

    code = "voucher.not_taken"


class NotPublic(HirobaError):
    """A file meant for a seed is not what it has to be, and may hold a secret. facts: file, wanted, which also ends the
    code: ssh-key, certificate, root-metadata.
    """

    code = "seed.not_public"

    def __init__(self, *, file: object, wanted: str) -> None:
        super().__init__(file=file, wanted=wanted)
        self.code = f"seed.not_{wanted.replace('-', '_')}"


class NoCityHall(HirobaError):
    """Codes are asked for where no city hall's service keeps its state. facts: folder."""

    code = "seed.no_city_hall"


class BoxNotNamed(HirobaError):
    """A city's file holds many boxes. facts: file, boxes."""

    code = "apply.box_not_named"


class OtherBox(HirobaError):
    """The file is of another box than was named. facts: file, box, name."""

    code = "apply.other_box"


class InstallStepFailed(HirobaError):
    """A program that lays the box failed. facts: step, reason."""

    code = "install.step_failed"


class FileTrouble(HirobaError):
    """A file or folder cannot be read or written. facts: file, reason (the system's words). Cause ends the code."""

    code = "file.unusable"

    def __init__(self, error: OSError) -> None:
        super().__init__(file=error.filename or "-", reason=error.strerror or type(error).__name__)
        self.code = f"file.{_CAUSES.get(error.errno or 0, 'unusable')}"


_CAUSES = {
    errno.ENOSPC: "no_space",
    errno.EDQUOT: "no_space",
    errno.EACCES: "not_allowed",
    errno.EPERM: "not_allowed",
    errno.EROFS: "not_allowed",
    errno.ENOENT: "missing",
    errno.ENOTDIR: "missing",
}


class RegisterOnPlaza(HirobaError):
    """Register and seal key would lie on a box in a plaza, and its file does not say ``lone``. facts: file."""

    code = "register.on_plaza"
