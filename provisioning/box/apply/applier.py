"""One apply: files, then systemd, then health checks; rolled back when they fail. Ports: file tree, runner, health.

    begin (undo record) > files > systemd > healthy? > commit        else: files back > systemd > clear
A power cut anywhere leaves a record by which the next start rolls everything back: the box is all old or all new.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from provisioning.box.apply.plan import Change, FileState, SystemdActions, changes, systemd_actions
from provisioning.box.apply.tree import FileTree, UndoRecord, group_id, group_name
from provisioning.box.render.box import SITE
from provisioning.box.render.files import Rendered
from provisioning.site.model import Site
from provisioning.site.renamed import renamed


class Runner(Protocol):
    """Asks a program of the box."""

    def run(self, *words: str) -> str:
        """Run it; "" when it ended with 0, else what it said."""
        ...


Health = Callable[[Site, Sequence[str]], str]
"""Waits until the units of a site are healthy, the touched ones above all: "" or what is wrong."""


@dataclass(frozen=True)
class ApplyResult:
    """changed: files; wrong: "" when good, else why everything was rolled back."""

    changed: tuple[str, ...]
    wrong: str = ""


class Applier:
    """Applies rendered files to a root. runner, health: None for an offline image."""

    def __init__(self, tree: FileTree, runner: Runner | None, health: Health | None) -> None:
        self._tree, self._runner, self._health = tree, runner, health

    def plan(self, rendered: Mapping[str, Rendered]) -> list[Change]:
        """What would change."""
        owned = self._tree.last_applied().owned
        known = {path: self._known_group(file) for path, file in rendered.items()}
        here = self._tree.states_of({*rendered, *owned})
        return changes(known, here, owned, groups=self._tree.groups)

    def recover(self) -> bool:
        """Roll back what a power cut left half done. True: there was something."""
        undo = self._tree.unfinished()
        if undo is None:
            return False
        self._roll_back(undo)
        return True

    def apply(self, rendered: Mapping[str, Rendered], planned: Sequence[Change]) -> ApplyResult:
        """Do ``planned``. Nothing planned: nothing is touched but the record of what is ours."""
        owned = sorted(rendered)
        mark = hashlib.sha256(msgspec.json.encode([owned, list(planned)])).hexdigest()
        undo = UndoRecord(list(planned), owned, mark)
        if not planned:
            if self._tree.last_applied().owned != owned:
                self._tree.begin(undo)
                self._tree.commit(undo)
            return ApplyResult(())
        self._tree.begin(undo)
        wrong = self._forward(undo)
        if wrong:
            self._roll_back(undo)
        else:
            self._tree.commit(undo)
        return ApplyResult(tuple(change.path for change in planned), wrong)

    def _forward(self, undo: UndoRecord) -> str:
        old, new = self._sites(undo.changes)
        for change in undo.changes:
            self._tree.write(change.path, change.after)
        if self._runner is None or self._health is None or new is None:
            return ""
        actions = systemd_actions(undo.changes, old, new, first=not self._tree.last_applied().mark)
        return self._run(actions) or self._health(new, [*actions.restart, *actions.enable])

    def _roll_back(self, undo: UndoRecord) -> None:
        """Files first: whatever systemd answers, the next start finds the old ones."""
        old, new = self._sites(undo.changes)
        back = [change.undone() for change in undo.changes]
        for change in reversed(back):
            self._tree.write(change.path, change.after)
        if self._runner is not None and old is not None:
            self._run(systemd_actions(back, new, old))
        self._tree.clear()

    def _run(self, actions: SystemdActions) -> str:
        """What one of our own units would not do; programs that are not ours may refuse."""
        run = self._runner.run if self._runner else lambda *_: ""
        said = run("systemctl", "daemon-reload") if actions.reload else ""
        if actions.disable:
            run("systemctl", "disable", "--now", *actions.disable)
        for words in actions.foreign:
            run(*words)
        if actions.restart and not said:
            said = run("systemctl", "restart", "--no-block", *actions.restart)
        if actions.enable and not said:
            said = run("systemctl", "enable", "--quiet", *actions.enable)
            said = said or run("systemctl", "start", "--no-block", *actions.enable)
        return said

    def _sites(self, done: Sequence[Change]) -> tuple[Site | None, Site | None]:
        """The box's site before and after; the same twice when it does not change."""
        change = next((change for change in done if change.path == SITE), None)
        if change is not None:
            return _site(change.before), _site(change.after)
        now = _site(self._tree.states_of([SITE])[SITE])
        return now, now

    def _known_group(self, file: Rendered) -> Rendered:
        return file._replace(group=group_name(group_id(file.group))) if self._tree.groups else file


def _site(file: FileState | None) -> Site | None:
    """What the file says; None for one that is not there or says nothing of use."""
    try:
        return msgspec.convert(renamed(tomllib.loads(file.content.decode()))[0], Site) if file else None
    except (ValueError, msgspec.ValidationError):
        return None
