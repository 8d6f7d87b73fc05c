"""A bundle is the same bytes for the same commit, and its reader trusts no name in it."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.updates.archive import pack, read_text, unpack, unpack_wheel
from provisioning.updates.build import build
from provisioning.updates.errors import BuildFailed, BundleDamaged
from tests.provisioning.updates.wheels import commit_checkout, tiny_source, tiny_wheel


def offline(packages: Path) -> list[str]:
    return ["--no-index", "--find-links", str(packages)]


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    tiny_wheel(folder)
    tiny_source(folder)
    return folder


def test_the_same_commit_gives_the_same_bytes(packages: Path, tmp_path: Path) -> None:
    checkout = commit_checkout(tmp_path / "checkout", packages, "1.0")
    first, manifest = build(checkout, tmp_path / "first", pip_options=offline(packages))
    (checkout / "README.md").write_text("changed and not committed")
    (checkout / "provisioning" / "stray.py").write_text("not committed either")
    os.utime(checkout / "pyproject.toml", (1, 1))
    second, _ = build(checkout, tmp_path / "second", pip_options=offline(packages))
    assert first.name == second.name == manifest.file_name
    assert first.read_bytes() == second.read_bytes()


def test_a_bundle_holds_the_committed_tree_and_a_wheel_of_everything_locked(packages: Path, tmp_path: Path) -> None:
    checkout = commit_checkout(tmp_path / "checkout", packages, "1.0")
    bundle, _ = build(checkout, tmp_path / "out", pip_options=offline(packages))
    with tarfile.open(bundle) as tar:
        names = tar.getnames()
    assert [n for n in names if n.startswith("wheels/")] == [
        "wheels/plazasource-1.0-py3-none-any.whl",
        "wheels/plazaword-1.0-py3-none-any.whl",
    ]
    assert {"manifest.json", "tree/README.md", "tree/provisioning/cli.py", "tree/systemd/README.md"} <= set(names)
    assert not [n for n in names if "tests" in n or "/bench/" in n or "/demo/" in n]


def test_a_package_that_is_not_what_the_lock_says_stops_the_build(packages: Path, tmp_path: Path) -> None:
    checkout = commit_checkout(tmp_path / "checkout", packages, "1.0")
    with zipfile.ZipFile(packages / "plazaword-1.0-py3-none-any.whl", "a") as wheel:
        wheel.writestr("plazaword_more.py", "")
    with pytest.raises(BuildFailed) as caught:
        build(checkout, tmp_path / "out", pip_options=offline(packages))
    assert caught.value.facts["step"] == "pip download"


def test_a_folder_that_is_no_checkout_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed):
        build(tmp_path, tmp_path / "out")


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}(/[a-z]{1,5}\.txt)", fullmatch=True), st.binary(max_size=2000)))
def test_what_is_packed_is_unpacked(tmp_path_factory: pytest.TempPathFactory, texts: dict[str, bytes]) -> None:
    folder = tmp_path_factory.mktemp("pack")
    pack(folder / "one.tar", {}, texts, 1_700_000_000)
    pack(folder / "two.tar", {}, dict(reversed(texts.items())), 1_700_000_000)
    assert (folder / "one.tar").read_bytes() == (folder / "two.tar").read_bytes()
    unpack(folder / "one.tar", folder / "out")
    assert {name: (folder / "out" / name).read_bytes() for name in texts} == texts


def hostile(folder: Path, name: str, kind: bytes = tarfile.REGTYPE) -> Path:
    file = folder / "hostile.tar"
    with tarfile.open(file, "w") as tar:
        header = tarfile.TarInfo(name)
        header.type, header.size, header.linkname = kind, 3 if kind == tarfile.REGTYPE else 0, "/etc/passwd"
        tar.addfile(header, io.BytesIO(b"bad"))
    return file


@pytest.mark.parametrize("name", ["../out", "tree/../../out", "/tmp/out", "tree\\..\\out"])  # noqa: S108 - a name
def test_a_name_that_leads_out_of_the_slot_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleDamaged):
        unpack(hostile(tmp_path, name), tmp_path / "slot")
    assert [p.name for p in tmp_path.iterdir()] == ["hostile.tar"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_anything_but_a_plain_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(BundleDamaged):
        unpack(hostile(tmp_path, "tree/link", kind), tmp_path / "slot")


@given(st.binary(max_size=3000))
def test_any_bytes_are_a_bundle_or_refused(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    folder = tmp_path_factory.mktemp("noise")
    (folder / "noise.tar").write_bytes(noise)
    with pytest.raises(BundleDamaged):
        read_text(folder / "noise.tar", "manifest.json")


def test_of_a_wheel_the_packages_are_laid_and_the_scripts_left_out(tmp_path: Path) -> None:
    unpack_wheel(tiny_wheel(tmp_path), tmp_path / "packages")
    laid = {p.name for p in (tmp_path / "packages").rglob("*") if p.is_file()}
    assert laid == {"plazaword.py", "plazaextra.py", "METADATA", "WHEEL", "RECORD"}


def test_a_wheel_that_writes_elsewhere_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.whl", "w") as wheel:
        wheel.writestr("../../outside.py", "")
    with pytest.raises(BundleDamaged):
        unpack_wheel(tmp_path / "bad.whl", tmp_path / "a" / "packages")
