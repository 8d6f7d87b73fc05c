"""Exceptions of the gate, with stable codes."""

from __future__ import annotations

from device.errors import HirobaError


class GateUnreachable(HirobaError):
    """No answer from the gate's socket in time. facts: reason."""

    code = "gate.unreachable"


class GateFault(HirobaError):
    """The gate answered with a fault or with a message that does not fit. facts: fault."""

    code = "gate.fault"


class KernelRefused(HirobaError):
    """The kernel refused a ruleset or an element. facts: what, reason."""

    code = "gate.kernel_refused"
