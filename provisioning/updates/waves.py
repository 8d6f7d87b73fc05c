"""Which boxes take a release now, and when the next wave may start. Pure.

Every box decides for itself from the signed wave, so no server stands between; city hall only signs the next stage.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec


class Stage(StrEnum):
    """How far a release has got."""

    CANARY = "canary"
    TENTH = "tenth"
    ALL = "all"
    STOPPED = "stopped"


NEXT: Mapping[Stage, Stage] = {Stage.CANARY: Stage.TENTH, Stage.TENTH: Stage.ALL}
SHARE: Mapping[Stage, int] = {Stage.CANARY: 0, Stage.TENTH: 10, Stage.ALL: 100, Stage.STOPPED: 0}
"""Stage -> percent of the boxes, beside the canaries."""


class Wave(msgspec.Struct, frozen=True, kw_only=True):
    """canaries: names of the boxes that go first; since: when the stage began; held: staff said wait."""

    stage: Stage
    since: datetime
    canaries: tuple[str, ...] = ()
    held: bool = False


class BoxReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a box last told. refused: releases it tried and took back."""

    box: str
    release: int
    healthy: bool = True
    refused: tuple[int, ...] = ()


class WavePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """soak_hours: a stage lasts at least so long. done: share that must run it. failures: share that may fail."""

    soak_hours: float = 24
    done: float = 0.9
    failures: float = 0.05


class WavePlan(msgspec.Struct, frozen=True, kw_only=True):
    """stage: what to sign next (the same: nothing to do). why: held, failures, soaking, waiting, advance, finished."""

    stage: Stage
    why: str
    included: int
    done: int
    failed: tuple[str, ...]


def included(wave: Wave, release: int, box: str) -> bool:
    """Whether ``box`` takes ``release`` in this wave. Who is in a wave stays in every later one."""
    if wave.stage is Stage.STOPPED:
        return False
    return box in wave.canaries or place(release, box) < SHARE[wave.stage]


def place(release: int, box: str) -> int:
    """0 to 99, spread evenly over boxes and drawn anew for each release: it is not always the same who goes early."""
    return int.from_bytes(hashlib.sha256(f"{release}:{box}".encode()).digest()[:8]) % 100


def plan(
    wave: Wave, release: int, boxes: Iterable[BoxReport], now: datetime, policy: WavePolicy | None = None
) -> WavePlan:
    """The stage to sign next. One failing canary stops everything; later ``policy.failures`` of the wave may fail."""
    policy = policy or WavePolicy()
    wave_boxes = [b for b in boxes if included(wave, release, b.box)]
    failed = tuple(sorted(b.box for b in wave_boxes if _failed(b, release)))
    done = sum(b.release >= release and b.healthy for b in wave_boxes)
    why = _why(wave, count=len(wave_boxes), done=done, failed=len(failed), now=now, policy=policy)
    stage = Stage.STOPPED if why == "failures" else NEXT[wave.stage] if why == "advance" else wave.stage
    return WavePlan(stage=stage, why=why, included=len(wave_boxes), done=done, failed=failed)


def _failed(box: BoxReport, release: int) -> bool:
    return release in box.refused or (box.release == release and not box.healthy)


def _why(wave: Wave, *, count: int, done: int, failed: int, now: datetime, policy: WavePolicy) -> str:
    if wave.stage is Stage.STOPPED:
        return "stopped"
    if failed > (0 if wave.stage is Stage.CANARY else math.floor(count * policy.failures)):
        return "failures"
    if wave.stage not in NEXT:
        return "finished"
    if wave.held:
        return "held"
    if count == 0 or done < math.ceil(count * policy.done):
        return "waiting"
    return "advance" if now - wave.since >= timedelta(hours=policy.soak_hours) else "soaking"
