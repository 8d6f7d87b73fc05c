"""The print engine: prints jobs in order, page by page, as PNG files; forgets all jobs when it restarts.

Files: job-0001.pdf, job-0001-page-0001.png … in its folder, numbered on by what lies there already.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from device.printer.pdf_drawing import NotAPdf, page_count, page_png
from device.printer.status import Condition, JobState
from device.printer.virtual_faults import read_state, replace_file

_POLL_SECONDS = 0.02


@dataclass
class Job:
    """One job as the printer knows it; times are the printer's up-time in seconds."""

    number: int
    name: str
    uuid: str
    state: JobState = JobState.HELD
    reason: str = "job-data-insufficient"
    impressions: int = 0
    document: bytes = b""
    owner: str = "anonymous"
    created: int = 1
    began: int | None = None
    ended: int | None = None


class PrintEngine:
    """Prints the jobs. ``start`` begins its thread, ``stop`` ends it in the middle of whatever it does."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.uuid = _kept_uuid(folder)
        self.jobs: dict[int, Job] = {}
        self._numbers = itertools.count(1)
        self._sheets = itertools.count(1 + len(list(folder.glob("job-????.pdf"))))
        self._changed = threading.Condition()
        self._stopping = False
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="print-engine", daemon=True)

    @property
    def up_time(self) -> int:
        """Seconds since it was switched on, from 1 (printer-up-time)."""
        return 1 + int(time.monotonic() - self._began)

    @property
    def condition(self) -> Condition:
        """What the state file says now."""
        return read_state(self.folder).condition

    def start(self) -> None:
        """Begin to print what is sent."""
        self._thread.start()

    def stop(self) -> None:
        """Switch off."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(5)

    def create(self, name: str, owner: str = "anonymous") -> Job:
        """A new job without a document."""
        with self._changed:
            job = Job(next(self._numbers), name, uuid4().urn, owner=owner, created=self.up_time)
            self.jobs[job.number] = job
            return job

    def send(self, job: Job, document: bytes) -> bool:
        """Give the job its one document; False when it has one or has ended."""
        with self._changed:
            if job.state is not JobState.HELD:
                return False
            job.document, job.state, job.reason = document, JobState.PENDING, "none"
            self._changed.notify_all()
            return True

    def cancel(self, job: Job) -> bool:
        """Cancel it; False when it had ended."""
        with self._changed:
            if job.state.final:
                return False
            job.state, job.reason, job.ended = JobState.CANCELED, "job-canceled-by-user", self.up_time
            return True

    @property
    def busy(self) -> bool:
        """Whether a job is under way."""
        return any(j.state in (JobState.PENDING, JobState.PROCESSING, JobState.STOPPED) for j in self.jobs.values())

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or self._next() is not None)
                job = self._next()
                if self._stopping or job is None:
                    return
                job.state, job.reason, job.began = JobState.PROCESSING, "job-printing", self.up_time
            self._print(job)

    def _next(self) -> Job | None:
        return next((j for j in self.jobs.values() if j.state is JobState.PENDING), None)

    def _print(self, job: Job) -> None:
        sheet = next(self._sheets)
        try:
            pages = page_count(job.document)
            replace_file(self.folder / f"job-{sheet:04d}.pdf", job.document)
            for page in range(pages):
                if not self._paper_comes(job):
                    return
                picture = page_png(job.document, page)
                self._lay_down(job, self.folder / f"job-{sheet:04d}-page-{page + 1:04d}.png", picture)
        except NotAPdf:
            self._end(job, JobState.ABORTED, "document-format-error")
            return
        self._end(job, JobState.COMPLETED, "job-completed-successfully")

    def _lay_down(self, job: Job, file: Path, picture: bytes) -> None:
        replace_file(file, picture)
        job.impressions += 1

    def _paper_comes(self, job: Job) -> bool:
        """Wait out the page's time and whatever stands in its way; False when the job or the printer ended."""

        def going_on() -> bool:
            return not self._stopping and not job.state.final

        _pause(read_state(self.folder).seconds_per_page, going_on)
        while going_on() and not self.condition.can_print:
            job.state, job.reason = JobState.STOPPED, "printer-stopped"
            time.sleep(_POLL_SECONDS)
        with self._changed:
            if not going_on():
                return False
            job.state, job.reason = JobState.PROCESSING, "job-printing"
            return True

    def _end(self, job: Job, state: JobState, reason: str) -> None:
        with self._changed:
            if not job.state.final:
                job.state, job.reason, job.ended = state, reason, self.up_time


def _pause(seconds: float, going_on: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while going_on() and time.monotonic() < until:
        time.sleep(min(_POLL_SECONDS, seconds))


def _kept_uuid(folder: Path) -> str:
    """The printer's UUID; it stays the same over restarts, as with real printers."""
    file = folder / "printer-uuid"
    if not file.exists():
        replace_file(file, uuid4().urn.encode())
    return file.read_text("ascii")
