"""A printer's condition as a finding: the same for both printers of a box. Pure."""

from __future__ import annotations

from device.health.finding import Finding, error, ok, warning


def judge_printer(which: str, condition: str) -> Finding:
    """which: "receipt_printer" or "page_printer". condition: value of device.printer.status.Condition."""
    code = f"{which}.{condition}"
    if condition == "ready":
        return ok(code)
    return warning(code) if condition == "paper_low" else error(code)
