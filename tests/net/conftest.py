"""One topology for the tests of a module."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from tests.net.topology import Topology, topology


@pytest.fixture(scope="package", autouse=True)
def open_files() -> None:
    """A thousand clients are held at once; a log-in shell of Debian's may open 1,024 files, and more when it asks."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < 8192:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard if 0 <= hard < 8192 else 8192, hard))


@pytest.fixture(scope="module")
def plaza(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """A gateway, an Internet and four phones; no gate runs yet."""
    with topology(tmp_path_factory.mktemp("plaza")) as made:
        yield made
