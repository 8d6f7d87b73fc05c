"""How much work a bench does: figures to quote, or a trial that it still runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Workload:
    """folder: an empty folder of this bench; trial: a few seconds instead of the figures to quote."""

    folder: Path
    trial: bool = False

    def size(self, full: int, trial: int) -> int:
        """The size of one thing."""
        return trial if self.trial else full
