"""The bundle file: a plain tar that is the same bytes for the same input, and a reader that trusts no name in it.

Not compressed: what is large in it are wheels, which are; so no compressor's version changes the bytes and no bundle
can grow while it is unpacked.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from provisioning.updates.errors import BundleDamaged

MANIFEST = "manifest.json"
TREE = "tree"
WHEELS = "wheels"


def pack(target: Path, files: Mapping[str, Path], texts: Mapping[str, bytes], moment: int) -> None:
    """Write ``files`` (name in the bundle -> file) and ``texts`` (name -> bytes), sorted, of ``moment``."""
    with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted({*files, *texts}):
            header = tarfile.TarInfo(name)
            header.mtime = moment
            if name in texts:
                _add(tar, header, texts[name], executable=False)
            else:
                _add(tar, header, files[name].read_bytes(), executable=bool(files[name].stat().st_mode & 0o100))


def _add(tar: tarfile.TarFile, header: tarfile.TarInfo, content: bytes, *, executable: bool) -> None:
    header.size = len(content)
    header.mode = 0o755 if executable else 0o644
    tar.addfile(header, io.BytesIO(content))


def read_text(bundle: Path, name: str) -> bytes:
    """One small member. Raises BundleDamaged when the file is no bundle or lacks it."""
    try:
        with tarfile.open(bundle, "r:") as tar:
            found = tar.extractfile(name)
            return found.read() if found else b""
    except (tarfile.TarError, KeyError, OSError) as error:
        raise BundleDamaged(source=bundle.name, reason=f"{name}: {type(error).__name__}") from error


def unpack(bundle: Path, folder: Path) -> None:
    """Every member below ``folder``. Raises BundleDamaged for anything but plain files with plain relative names."""
    try:
        with tarfile.open(bundle, "r:") as tar:
            for header in tar:
                found = tar.extractfile(header) if header.isreg() else None
                if found is None:
                    raise BundleDamaged(source=bundle.name, reason=f"not a plain file: {header.name!r}")
                _write(folder / _plain(header.name, bundle.name), found.read(), 0o755 if header.mode & 0o100 else 0o644)
    except tarfile.TarError as error:
        raise BundleDamaged(source=bundle.name, reason=type(error).__name__) from error


def unpack_wheel(wheel: Path, packages: Path) -> None:
    """A wheel's packages below ``packages`` (PEP 427). Scripts are left out: a slot has one command."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                place = _in_packages(_plain(name, wheel.name))
                if place is not None and not name.endswith("/"):
                    _write(packages / place, archive.read(name), 0o644)
    except zipfile.BadZipFile as error:
        raise BundleDamaged(source=wheel.name, reason="not a wheel") from error


def names_below(folder: Path) -> Iterator[str]:
    """Relative names of all files, sorted, without what Python left beside them."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file.relative_to(folder).as_posix()


def _in_packages(name: PurePosixPath) -> PurePosixPath | None:
    """``x.data/purelib`` and ``x.data/platlib`` belong beside the packages; other ``.data`` folders are not wanted."""
    if not name.parts[0].endswith(".data"):
        return name
    wanted = len(name.parts) > 2 and name.parts[1] in {"purelib", "platlib"}
    return PurePosixPath(*name.parts[2:]) if wanted else None


def _plain(name: str, source: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise BundleDamaged(source=source, reason=f"a name that leads elsewhere: {name!r}")
    return path


def _write(file: Path, content: bytes, mode: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(mode)
