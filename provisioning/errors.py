"""Surprises of the command line. May import: device.errors."""

from __future__ import annotations

from device.errors import HirobaError


class SectionMissing(HirobaError):
    """The site file lacks a section this process runs by. facts: file, section, process."""

    code = "settings.section_missing"


class PortTaken(HirobaError):
    """Someone else listens there. facts: host, port."""

    code = "port.taken"


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


class InstallStepFailed(HirobaError):
    """A program that lays the box failed. facts: step, reason."""

    code = "install.step_failed"
