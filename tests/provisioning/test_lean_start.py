"""What a process of the box never loads, since each pays for it in memory: a library that belongs to another one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DEAR = {"sqlalchemy", "cryptography", "PIL", "weasyprint", "asyncio", "psutil", "unittest", "multiprocessing"}
CASES = {
    "any process": ("provisioning.commands.run", {"flask", "gunicorn", "jinja2", "smtplib", "sqlite3"}),
    "portal": ("provisioning.commands.run, captive_portal.wiring_portal, provisioning.web.gunicorn_server", set()),
    "gate": ("provisioning.commands.run, captive_portal.wiring_gate", {"flask", "gunicorn", "jinja2", "smtplib"}),
}


@pytest.mark.parametrize(("modules", "more"), CASES.values(), ids=CASES)
def test_a_process_loads_no_library_that_it_does_not_need(modules: str, more: set[str]) -> None:
    code = f"import sys, {modules}; print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True, capture_output=True, text=True
    )
    assert {name.partition(".")[0] for name in told.stdout.split()} & (DEAR | more) == set()
