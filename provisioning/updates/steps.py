"""The steps of an update by name, in their order: what the journal says, where the drill cuts the power.

Each is told before it is done. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Step(StrEnum):
    """Of the way there, then of the way back."""

    LOOK = "look"
    DOWNLOAD = "download"
    FILL = "fill"
    IDLE = "idle"
    TRIAL = "trial"
    SWITCH = "switch"
    LAY = "lay"
    RESTART = "restart"
    WATCH = "watch"
    TELL = "tell"
    KEEP = "keep"
    END = "end"
    REFUSE = "refuse"
    SWITCH_BACK = "switch_back"
    LAY_BACK = "lay_back"
    RESTART_BACK = "restart_back"
    END_BACK = "end_back"


FORWARD = (
    Step.LOOK,
    Step.DOWNLOAD,
    Step.FILL,
    Step.IDLE,
    Step.TRIAL,
    Step.SWITCH,
    Step.LAY,
    Step.RESTART,
    Step.WATCH,
    Step.TELL,
    Step.KEEP,
    Step.END,
)
"""Of a release that is healthy."""
ROLLBACK = (Step.REFUSE, Step.SWITCH_BACK, Step.LAY_BACK, Step.RESTART_BACK, Step.END_BACK)
"""Of one that is not: after ``watch``, or at once when it cannot be laid or started."""

AFTER_A_CUT: Mapping[Step, str] = {
    **dict.fromkeys((Step.LOOK, Step.DOWNLOAD, Step.FILL, Step.IDLE, Step.TRIAL, Step.SWITCH), "old"),
    **dict.fromkeys((Step.LAY, Step.RESTART, Step.WATCH, Step.TELL, Step.KEEP, Step.END), "new"),
    **dict.fromkeys(ROLLBACK, "old"),
}
"""Power cut at the beginning of a step -> which release the box runs when it has come back and settled. For one that is
well before ``refuse``, for one that is ill from there on.
"""
