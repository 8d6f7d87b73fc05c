"""A medium whose power is cut: what no sync brought to it is there, half there or not there, as chance has it."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import IO

from device.files import Owner, temporary_name

Names = dict[Path, "_File"]


class PowerCut(Exception):
    """Nothing more happens."""


class _File(BytesIO):
    """written: what the kernel was given; synced: what surely is on the medium."""

    def __init__(self, content: bytes = b"") -> None:
        super().__init__()
        self.written = bytearray(content)
        self.synced = content

    def write(self, content: object) -> int:
        assert isinstance(content, bytes)
        self.written += content
        return len(content)


class CutMedium:
    """device.files.FileSystem; the power goes before act number ``cut_at`` (from 0)."""

    def __init__(self, cut_at: int, path: Path, old: bytes | None) -> None:
        self._left = cut_at
        self.modes: list[int] = []
        self._durable: Names = {} if old is None else {path: _File(old)}
        self._pending: list[Callable[[Names], None]] = []

    def create(self, path: Path, mode: int, owner: Owner) -> tuple[Path, IO[bytes]]:
        del owner
        fresh, file = path.with_name(temporary_name(path.name)), _File()
        self.modes.append(mode)
        self._name(lambda names: names.update({fresh: file}))
        return fresh, file

    def sync(self, file: IO[bytes]) -> None:
        self._act()
        assert isinstance(file, _File)
        file.synced = bytes(file.written)

    def replace(self, fresh: Path, path: Path) -> None:
        file = self._now()[fresh]

        def rename(names: Names) -> None:
            names.pop(fresh, None)
            names[path] = file

        self._name(rename)

    def link(self, fresh: Path, path: Path) -> None:
        if path in self._now():
            raise FileExistsError(path)
        file = self._now()[fresh]
        self._name(lambda names: names.update({path: file}))

    def remove(self, fresh: Path) -> None:
        def forget(names: Names) -> None:
            names.pop(fresh, None)

        self._name(forget)

    def sync_folder(self, folder: Path) -> None:
        del folder
        self._act()
        self._durable, self._pending = self._now(), []

    def after_power_cut(self, path: Path, chosen: Callable[[int], int]) -> bytes | None:
        """The content of ``path`` at the next start; ``chosen(n)`` draws from 0 to n."""
        names = dict(self._durable)
        for change in self._pending:
            if chosen(1):
                change(names)
        if path not in names:
            return None
        file = names[path]
        whole = bytes(file.written)
        return whole if whole == file.synced else whole[: chosen(len(whole))]

    def _act(self) -> None:
        if self._left == 0:
            raise PowerCut
        self._left -= 1

    def _name(self, change: Callable[[Names], None]) -> None:
        self._act()
        self._pending.append(change)

    def _now(self) -> Names:
        names = dict(self._durable)
        for change in self._pending:
            change(names)
        return names
