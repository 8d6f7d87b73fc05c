"""One topology for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.net.topology import Topology, topology


@pytest.fixture(scope="module")
def plaza(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """A gateway, an Internet and four phones; no gate runs yet."""
    with topology(tmp_path_factory.mktemp("plaza")) as made:
        yield made
