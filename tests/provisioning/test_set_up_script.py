"""The script ./hiroba: what it looks at before it installs, what it says when it cannot, and what it repairs.

It runs in a folder that looks like a checkout, with programs of our own in front of the system's.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from provisioning.cli import COMMANDS

REPO = Path(__file__).parents[2]
INTERPRETER = """#!/bin/bash
told="$(cat "$(dirname "$(readlink -f "$0")")/version") $(readlink -f "$0")"
case "$*" in
  *"-m venv"*)
    folder=${@: -1}; rm -rf "$folder"; mkdir -p "$folder/bin" "$folder/lib/python${told%% *}/site-packages/pip"
    ln -s "$0" "$folder/bin/python"; printf '#!/bin/bash\\necho "ran $*"\\n' >"$folder/bin/hiroba"
    chmod +x "$folder/bin/hiroba"; echo venv >>"$CALLS" ;;
  *"-m pip"*) echo pip >>"$CALLS"; eval "${PIP:-:}" ;;
  *) echo "$told" ;;
esac
"""
PROGRAMS = {
    "dpkg-query": 'sed -n "/^[a-z]/s/^/ii  /p" "$PACKAGES"',
    "dpkg": ":",
    "id": "echo 0",
    "stat": "echo 1",  # one disk
    "df": 'echo "Filesystem 1024-blocks Used Available"; echo "disk 9 9 ${FREE_KB:-9999999}"',
    "apt-get": 'echo "apt-get $*" >>"$CALLS"; eval "${APT:-:}"',
    "apt-cache": 'printf "Size: 1048576\\nInstalled-Size: 4096\\n"',
}


@dataclass
class Machine:
    """A checkout at ``folder`` on a machine whose programs are in ``folder/programs``."""

    folder: Path

    @property
    def calls(self) -> list[str]:
        """What was called of the programs, in order."""
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def interpreter(self, name: str, version: str) -> str:
        """Lay an interpreter that says it is ``version``; its path."""
        file = self.folder / name / "python"
        file.parent.mkdir(exist_ok=True)
        file.write_text(INTERPRETER)
        file.chmod(0o755)
        (file.parent / "version").write_text(version)
        return str(file)

    def environment(self, **settings: str) -> dict[str, str]:
        """For the script: our programs first, no locale of this machine."""
        path = f"{self.folder}/programs:/usr/bin:/bin"
        files = {"CALLS": str(self.folder / "calls"), "PACKAGES": str(REPO / "provisioning/packages.txt")}
        policy = str(self.folder / "policy-rc.d")
        return {"PATH": path, "HOME": str(self.folder), "LANG": "C", "HIROBA_POLICY": policy, **files, **settings}

    def run(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """``./hiroba words…`` here."""
        command = [str(self.folder / "hiroba"), *words]
        return subprocess.run(command, env=self.environment(**settings), capture_output=True, text=True, check=False)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Every Debian package is installed, and there is no environment yet."""
    (tmp_path / "provisioning").mkdir()
    for name in ("hiroba", "pyproject.toml", "provisioning/packages.txt", "provisioning/cli.py"):
        shutil.copy(REPO / name, tmp_path / name)
    for name in ("requirements.lock", "requirements-dev.lock"):
        (tmp_path / name).write_text("flask==3.0 \\\n    --hash=sha256:00\nsetuptools==80.0 \\\n    --hash=sha256:00\n")
    (tmp_path / "programs").mkdir()
    for name, body in PROGRAMS.items():
        (tmp_path / "programs" / name).write_text(f"#!/bin/bash\n{body}\n")
        (tmp_path / "programs" / name).chmod(0o755)
    return Machine(tmp_path)


@pytest.fixture
def set_up(machine: Machine) -> Machine:
    """The environment is there, made by HIROBA_PYTHON of version 3.11."""
    assert machine.run("doctor", HIROBA_PYTHON=machine.interpreter("first", "3.11")).stdout == "ran doctor\n"
    (machine.folder / "calls").unlink()
    return machine


def test_nothing_is_installed_when_nothing_is_missing(set_up: Machine) -> None:
    assert set_up.run("doctor", "--json").stdout == "ran doctor --json\n"
    assert set_up.calls == []


@pytest.mark.parametrize(
    ("site", "wanted"),
    [("[usb]\nguard = true\n", True), ("[box]\n", True), ("[usb] # TEST\n guard=false\n", False),
     ("[usb]\nguard = true\n[x]\nguard = false\n", True), (None, False)],
)  # fmt: skip
def test_usbguard_is_brought_to_a_box_whose_site_file_wants_it_and_to_no_other(
    machine: Machine, site: str | None, wanted: bool
) -> None:
    if site is not None:
        (machine.folder / "site.toml").write_text(site)
    packages = (REPO / "provisioning/packages.txt").read_text().replace("usbguard\n", "")
    (machine.folder / "installed.txt").write_text(packages)
    installed = {"PACKAGES": str(machine.folder / "installed.txt"), "HIROBA_PYTHON": machine.interpreter("f", "3.11")}
    machine.run("install", "--site", str(machine.folder / "site.toml"), **installed)
    assert any("usbguard" in call for call in machine.calls) == wanted


def test_an_environment_is_made_anew_when_its_interpreter_was_upgraded(set_up: Machine) -> None:
    set_up.interpreter("first", "3.13")  # the same path, as after an upgrade of Debian
    assert set_up.run("doctor").returncode == 0
    assert set_up.calls[0] == "venv"


def test_an_environment_is_made_anew_when_its_interpreter_has_gone(set_up: Machine) -> None:
    (set_up.folder / "first/python").unlink()
    assert set_up.run("doctor", HIROBA_PYTHON=set_up.interpreter("second", "3.12")).stdout == "ran doctor\n"
    assert set_up.calls[0] == "venv"


def test_another_interpreter_that_is_named_is_used(set_up: Machine) -> None:
    set_up.run("doctor", HIROBA_PYTHON=set_up.interpreter("second", "3.11"))
    assert set_up.calls[0] == "venv"
    assert (set_up.folder / ".venv/bin/python").resolve() == set_up.folder / "second/python"
    assert set_up.run("doctor").returncode == 0, "and stays in use when none is named"
    assert set_up.calls.count("venv") == 1


def test_other_lock_files_add_to_an_environment_that_was_finished(set_up: Machine) -> None:
    (set_up.folder / "requirements.lock").write_text("flask==3.1 \\\n    --hash=sha256:00\n")
    assert set_up.run("doctor").returncode == 0
    assert set(set_up.calls) == {"pip"}


def _too_old(machine: Machine) -> str:
    file = Path(machine.interpreter("old", "3.9"))
    file.write_text("#!/bin/bash\necho 'is Python 3.9; 3.11 or newer is needed'\nexit 1\n")
    return str(file)


def _not_there(machine: Machine) -> str:
    return str(machine.folder / "nowhere/python3")


@pytest.mark.parametrize(("named", "reason"), [(_too_old, "3.11 or newer"), (_not_there, "not found")])
def test_a_named_interpreter_that_cannot_be_used_is_an_error(
    set_up: Machine, named: Callable[[Machine], str], reason: str
) -> None:
    path = named(set_up)
    run = set_up.run("doctor", HIROBA_PYTHON=path)
    assert (run.returncode, run.stdout) == (1, "")
    assert path in run.stderr
    assert reason in run.stderr


@pytest.mark.parametrize(("typed", "meant"), [("demmo", "demo"), ("tset", "test"), ("vouchers", "voucher")])
def test_a_mistyped_command_gets_a_suggestion_and_installs_nothing(machine: Machine, typed: str, meant: str) -> None:
    run = machine.run(typed)
    assert run.returncode == 2
    assert f"Did you mean {meant}?" in run.stderr
    assert machine.calls == []
    assert f"{meant} でしょうか" in machine.run(typed, LANG="ja_JP.UTF-8").stderr


def test_a_word_like_no_command_is_told_without_a_suggestion(machine: Machine) -> None:
    run = machine.run("xylophone")
    assert (run.returncode, "mean" in run.stderr) == (2, False)


def test_every_command_passes_the_look_at_its_name(set_up: Machine) -> None:
    refused = [name for name in COMMANDS if set_up.run(name).returncode == 2]
    assert refused == []


def test_too_little_room_is_told_in_figures_before_anything_is_fetched(machine: Machine) -> None:
    run = machine.run("doctor", FREE_KB="204800", HIROBA_PYTHON=machine.interpreter("first", "3.11"))
    assert run.returncode == 1
    assert "400 MB are needed" in run.stderr
    assert "200 MB are free" in run.stderr
    assert machine.calls == []


def test_debian_packages_are_asked_for_their_size_before_they_are_fetched(machine: Machine) -> None:
    (machine.folder / "programs/dpkg-query").write_text("#!/bin/bash\n")
    apt = 'case "$*" in *" -s "* | "-s "*) echo "Inst gcc (12)";; esac'
    run = machine.run("doctor", FREE_KB="411000", APT=apt, HIROBA_PYTHON=machine.interpreter("first", "3.11"))
    assert run.returncode == 1
    assert "406 MB are needed at /var" in run.stderr
    assert not [call for call in machine.calls if "Status-Fd" in call]


@pytest.mark.parametrize(("command", "asked"), [("doctor", "101\n"), ("install", "may start\n")])
def test_who_tries_it_out_gets_no_service_of_debian_started(machine: Machine, command: str, asked: str) -> None:
    (machine.folder / "programs/dpkg-query").write_text("#!/bin/bash\n")
    look = (
        f'"$HIROBA_POLICY"; [ $? = 101 ] && echo 101 >{machine.folder}/asked || echo may start >{machine.folder}/asked'
    )
    apt = f'case "$*" in *Status-Fd*) {look}; cp {machine.folder}/all {machine.folder}/programs/dpkg-query;; esac'
    shutil.copy(machine.folder / "programs/dpkg", machine.folder / "all")
    (machine.folder / "all").write_text(f"#!/bin/bash\n{PROGRAMS['dpkg-query']}\n")
    run = machine.run(command, APT=apt, HIROBA_PYTHON=machine.interpreter("first", "3.11"))
    assert run.stdout == f"ran {command}\n", run.stderr
    assert (machine.folder / "asked").read_text() == asked
    assert not (machine.folder / "policy-rc.d").exists()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Temporary failure resolving 'mirror'", "DNS"),
        ("Could not connect to mirror:80, connection timed out", "cannot be reached"),
        ("You don't have enough free space in /var/cache", "disk is full"),
        ("server certificate verification failed", "clock"),
    ],
)
def test_a_list_of_packages_that_cannot_be_fetched_says_why(machine: Machine, said: str, told: str) -> None:
    (machine.folder / "programs/dpkg-query").write_text("#!/bin/bash\n")
    run = machine.run("doctor", APT=f'case "$*" in *update*) echo "{said}"; exit 100;; esac'.replace("'", "."))
    assert run.returncode == 1
    assert told in run.stderr
    assert len(machine.calls) == 1


def test_python_packages_that_cannot_be_fetched_say_why_and_the_next_run_begins_anew(machine: Machine) -> None:
    python = machine.interpreter("first", "3.11")
    run = machine.run("doctor", HIROBA_PYTHON=python, PIP="echo 'Temporary failure in name resolution' >&2; exit 1")
    assert run.returncode == 1
    assert "DNS" in run.stderr
    assert machine.calls == ["venv", "pip"]
    assert machine.run("doctor", HIROBA_PYTHON=python).stdout == "ran doctor\n"
    assert machine.calls.count("venv") == 2, "an environment that was not finished is not trusted"


def test_ctrl_c_says_so_in_one_line_and_the_next_run_repairs(machine: Machine) -> None:
    python, ready = machine.interpreter("first", "3.11"), machine.folder / "ready"
    os.mkfifo(ready)
    environment = machine.environment(HIROBA_PYTHON=python, PIP=f"echo >{ready}; sleep 60")
    process = subprocess.Popen(
        [machine.folder / "hiroba", "doctor"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    ready.read_text()  # pip has begun
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert said.splitlines()[-1].startswith("hiroba: stopped.")
    assert machine.run("doctor", HIROBA_PYTHON=python).stdout == "ran doctor\n"


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1", "ja_JP.UTF-8"])
def test_words_in_japanese_are_written_in_any_locale(locale: str) -> None:
    environment = {**os.environ, "LANG": locale, "LC_ALL": locale, "PYTHONIOENCODING": "latin-1"}
    environment["PATH"] = f"{REPO}/.venv/bin:{os.environ['PATH']}"
    command = ["python", "-m", "provisioning", "site", "check", "/nowhere.toml"]
    run = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, check=False)
    assert run.returncode == 1
    assert "ファイルがありません" in run.stderr.decode("utf-8")
