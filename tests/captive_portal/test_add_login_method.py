"""Adding a log-in method touches its own two files, a row in each of two tables, and words: statistics follow."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest

from captive_portal.settings import LOGIN_METHODS, Login
from captive_portal.stats.codes import PARTS, make_parts

ROOT = Path(__file__).parents[2]
OWN = ("portal/login/{}.py", "portal/templates/login/{}.html")
ROWS = ("settings.py", "portal/login/methods.py")
SECOND_PAGE = {"email_code": {"portal/templates/code.html"}}  # the page on which the mailed code is typed

METHOD = '''"""A wristband with a number: a log-in method that exists in a test only."""

from captive_portal.portal.login.method import Rejected, Accepted


class Wristband:
    """See LoginMethod."""

    def attempt(self, visitor, form, /):
        return Accepted() if form.get("number") == "7" else Rejected("error_wristband_lost")

    def pending_code(self, phone, /):
        return ""

    def finish(self, accepted, opened, /):
        pass
'''
FORM = """{% from "parts.html" import form %}
{% call form(t, token, "login", "wristband_send", path) %}
<input type="hidden" name="method" value="wristband">
<input name="number">
{% endcall %}
"""
PROGRAM = """
import io, json, re, sys
from datetime import datetime
from pathlib import Path
from werkzeug.test import Client
from captive_portal.gate.memory import MemoryGate
from captive_portal.settings import WifiSettings
from captive_portal.stats.catalogue import catalogue
from captive_portal.stats.report import day_report
from captive_portal.wiring_portal import build_portal
from captive_portal.wiring_stats import build_stats
from device.clock import JST, HeldClock
from device.logs import open_log
from tests.captive_portal.gate.sites import a_spot

state, clock, log = Path(sys.argv[1]), HeldClock(datetime(2026, 11, 23, 9, tzinfo=JST)), open_log("test", io.StringIO())
wifi = WifiSettings(spots=[a_spot(login=["wristband"])])
gate = MemoryGate(wifi, clock)
gate.arrive("10.90.0.5", "02:00:00:00:00:05")
phone = Client(build_portal(wifi, state, clock, log, gate).app)
pages = []
for number in ("8", "7"):
    page = phone.get("/", environ_overrides={"REMOTE_ADDR": "10.90.0.5"}, headers={"Host": "10.90.0.1:8180"}).text
    (token,) = re.findall('name="token" value="([^"]+)"', page)[:1]
    form = {"method": "wristband", "token": token, "number": number}
    sent = {"environ_overrides": {"REMOTE_ADDR": "10.90.0.5"}, "headers": {"Host": "10.90.0.1:8180"}}
    pages += re.findall('data-(?:page|error)="([a-z_]*)"', phone.post("/login", data=form, **sent).text)
stats = build_stats(wifi, state, clock, log, gate)
stats.collector.collect()
report = day_report(stats.store, "hall", clock.now().date())
named = [catalogue(code).value("method", "wristband") for code in ("ja", "en")]
print(json.dumps({"pages": pages, "parts": report.parts, "named": named}))
"""


def _replace(path: Path, changes: Mapping[str, str]) -> None:
    text = path.read_text("utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1, (path, old)
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


def _add_wristband(package: Path) -> None:
    """The whole change: two new files, two rows, words."""
    (package / "portal/login/wristband.py").write_text(METHOD)
    (package / "portal/templates/login/wristband.html").write_text(FORM)
    row = '    "wristband": LoginMethodFacts(refusals=("wristband_lost",)),\n}\n"""A row for each Login'
    _replace(package / "settings.py", {'"voucher"]\n': '"voucher", "wristband"]\n', '}\n"""A row for each Login': row})
    imported = "import Voucher\nfrom captive_portal.portal.login.wristband import Wristband\n"
    made = '        "wristband": Wristband(),\n    }\n'
    _replace(package / "portal/login/methods.py", {"import Voucher\n": imported, "    }\n": made})
    for words in (package / "portal/locale").glob("*.toml"):
        words.write_text(words.read_text("utf-8") + '\nwristband_send = "…"\nerror_wristband_lost = "…"\n', "utf-8")
    for words in (package / "stats/locale").glob("*.toml"):
        names = {"[method]\n": '[method]\nwristband = "Band"\n', "[refusal]\n": '[refusal]\nwristband_lost = "Lost"\n'}
        _replace(words, names)


def _files(package: Path) -> dict[str, bytes]:
    kinds = {".py", ".html", ".toml"}
    return {str(p.relative_to(package)): p.read_bytes() for p in package.rglob("*") if p.suffix in kinds}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of captive_portal that a program imports in place of ours."""
    shutil.copytree(ROOT / "captive_portal", tmp_path / "captive_portal", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_a_new_method_logs_in_is_refused_and_is_counted_by_its_name(tree: Path) -> None:
    before = _files(tree / "captive_portal")
    _add_wristband(tree / "captive_portal")
    after = _files(tree / "captive_portal")
    changed = {name for name, content in after.items() if before.get(name) != content}
    assert {name for name in changed if not name.endswith(".toml")} == {
        *ROWS,
        *(own.format("wristband") for own in OWN),
    }
    assert {str(Path(name).parent) for name in changed if name.endswith(".toml")} == {"portal/locale", "stats/locale"}
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tree), str(ROOT)])}
    program = [sys.executable, "-c", PROGRAM, str(tree)]
    done = subprocess.run(program, cwd=tree, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["pages"] == ["welcome", "wristband_lost", "online"]
    assert (found["parts"]["method"], found["parts"]["refusal"]) == ({"wristband": 1}, {"wristband_lost": 1})
    assert found["named"] == ["Band", "Band"]


@pytest.mark.parametrize("method", get_args(Login))
def test_a_method_is_named_in_its_own_files_the_rows_and_the_words_only(method: str) -> None:
    files = _files(ROOT / "captive_portal")
    named = {name for name, content in files.items() if f'"{method}"'.encode() in content}
    words = {name for name, content in files.items() if re.search(rf"^{method} = ".encode(), content, re.MULTILINE)}
    own = {own.format(method) for own in OWN}
    assert named - own - SECOND_PAGE.get(method, set()) == set(ROWS)
    assert words == {"stats/locale/ja.toml", "stats/locale/en.toml"}
    assert own <= files.keys()


def test_every_login_has_its_row_and_statistics_follow_from_the_rows() -> None:
    assert tuple(LOGIN_METHODS) == get_args(Login)
    assert make_parts(LOGIN_METHODS) == PARTS
    assert PARTS["method"][:-1] == get_args(Login)
    assert {code for facts in LOGIN_METHODS.values() for code in facts.refusals} < set(PARTS["refusal"])
