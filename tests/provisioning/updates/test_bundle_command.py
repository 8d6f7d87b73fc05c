"""The whole road by the command line: keys, two builds, a USB stick, a real environment in a slot, health, return."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from device.errors import HirobaError
from provisioning.commands.bundle import command
from provisioning.messages import explain, has_message
from provisioning.updates.build import build
from provisioning.updates.errors import TrialFailed
from provisioning.updates.slots import COMMAND
from tests.provisioning.updates.wheels import commit_checkout, tiny_wheel

SITE = """
[box]
name = "chisatooka-1"
[city]
name_ja = "摂津市"
name_en = "Settsu City"
telephone = "06-0000-0000"
[updates]
source = "{stick}"
trust = "{trust}"
health_seconds = 4
"""
COMMANDS = """
health = [["{application}/current/.venv/bin/hiroba"]]
lay = []
restart = []
after_good = [["{application}/rauc", "status", "mark-good"]]
"""


def bundle(*words: str | Path, fails: bool = False) -> Result:
    done = CliRunner().invoke(command, [str(w) for w in words], catch_exceptions=fails)
    assert fails or done.exit_code == 0, done.output
    return done


def made(folder: Path, version: str) -> Path:
    packages = folder / "packages"
    packages.mkdir(exist_ok=True)
    tiny_wheel(packages)
    checkout = commit_checkout(folder / version, packages, version)
    return build(checkout, folder / "out" / version, pip_options=["--no-index", "--find-links", str(packages)])[0]


@pytest.fixture
def application(tmp_path: Path) -> Path:
    folder = tmp_path / "opt"
    (folder / "slots/a/.venv/bin").mkdir(parents=True)
    (folder / "slots/a" / COMMAND).write_text("#!/bin/sh\necho by hand\n")
    (folder / "slots/a" / COMMAND).chmod(0o755)
    (folder / "current").symlink_to("slots/a")
    (folder / "rauc").write_text(f'#!/bin/sh\necho "$*" >> {folder}/rauc.log\nexit 1\n')
    (folder / "rauc").chmod(0o755)
    return folder


@pytest.fixture
def publisher(tmp_path: Path, application: Path) -> list[str | Path]:
    signing: list[str | Path] = ["--repo", tmp_path / "repo", "--keys", tmp_path / "keys"]
    bundle("init", *signing)
    trust, stick = tmp_path / "update-root.json", tmp_path / "stick"
    shutil.copy(tmp_path / "repo/metadata/1.root.json", trust)
    (tmp_path / "site.toml").write_text(SITE.format(stick=stick, trust=trust))
    (tmp_path / "commands.toml").write_text(COMMANDS.format(application=application))
    return signing


def on_stick(folder: Path) -> None:
    shutil.rmtree(folder / "stick", ignore_errors=True)
    shutil.copytree(folder / "repo", folder / "stick")


@pytest.fixture
def strict() -> Iterator[None]:
    """The umask of our units, under which a slot must be made that the other users of the box can run."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def closed_to_others(slot: Path) -> list[Path]:
    found = [path for path in (slot, *slot.rglob("*")) if not path.is_symlink()]
    return [path for path in found if not path.stat().st_mode & (0o001 if path.is_dir() else 0o004)]


def marked(application: Path) -> list[str]:
    """What RAUC was asked; it is not installed here and says no each time, which must not matter."""
    return (application / "rauc.log").read_text().splitlines()


def says(application: Path) -> str:
    done = subprocess.run([application / "current" / COMMAND], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.usefixtures("strict")
def test_a_usb_stick_brings_a_release_that_runs_without_any_network(
    tmp_path: Path, application: Path, publisher: list[str | Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    box: list[str | Path] = ["--config", "site.toml", "--application", "opt", "--state", "state", "--json"]
    install = ["install", *box, "--commands", "commands.toml", "--trust", "update-root.json"]
    bundle("publish", *publisher, made(tmp_path, "one"), "--canary", "another-box")
    on_stick(tmp_path)
    assert json.loads(bundle(*install).stdout)["outcome"] == "held"
    bundle("waves", *publisher, "--stage", "all")
    on_stick(tmp_path)
    facts = json.loads(bundle(*install).stdout)
    assert (facts["outcome"], facts["current"], facts["slots"]["b"]["release"]) == ("installed", "b", 1)
    assert says(application) == "one hiroba"
    assert closed_to_others(application / "slots/b") == []
    assert marked(application) == ["status mark-good"]

    bundle("publish", *publisher, made(tmp_path, "ill-two"), "--to-all")
    on_stick(tmp_path)
    with pytest.raises(TrialFailed):
        bundle(*install)
    assert says(application) == "one hiroba"
    assert json.loads(bundle("status", *box[2:4], "--json").stdout)["refused"] == [2]
    assert marked(application) == ["status mark-good"]
    told = json.loads(bundle("report", *box[:4]).stdout)
    assert told == {"box": "chisatooka-1", "release": 1, "healthy": True, "refused": [2]}
    (tmp_path / "boxes.json").write_text(json.dumps([told]))
    plan = bundle("waves", *publisher, "--release", "2", "--report", tmp_path / "boxes.json", "--json", "--apply")
    assert (json.loads(plan.stdout)["plan"]["why"], json.loads(plan.stdout)["stage"]) == ("failures", "stopped")
    assert "taken back: [2]" in bundle("status", "--application", application).output


def test_the_plan_of_the_waves_reads_what_the_boxes_told(tmp_path: Path, publisher: list[str | Path]) -> None:
    bundle("publish", *publisher, made(tmp_path, "one"), "--canary", "chisatooka-1")
    report = tmp_path / "boxes.json"
    report.write_text(json.dumps([{"box": "chisatooka-1", "release": 1}]))
    words = ["waves", *publisher, "--report", report, "--json"]
    assert json.loads(bundle(*words).output)["plan"]["why"] == "soaking"
    assert json.loads(bundle(*words, "--soak-hours", "0").output)["stage"] == "canary"
    assert json.loads(bundle(*words, "--soak-hours", "0", "--apply").output)["stage"] == "tenth"
    report.write_text(json.dumps([{"box": "chisatooka-1", "release": 0, "refused": [1]}]))
    assert json.loads(bundle(*words, "--apply").output)["plan"]["why"] in {"failures", "waiting"}


def test_publishing_without_saying_to_whom_is_wrong_use(tmp_path: Path, publisher: list[str | Path]) -> None:
    (tmp_path / "x.tar").touch()
    assert bundle("publish", *publisher, tmp_path / "x.tar", fails=True).exit_code == 2


def codes(kind: type[HirobaError]) -> set[str]:
    return {kind.code}.union(*(codes(below) for below in kind.__subclasses__()))


def test_every_refusal_has_words_in_both_languages_and_shows_its_facts() -> None:
    from provisioning.updates.errors import BundleError

    assert [code for code in codes(BundleError) - {"bundle.error"} if not has_message(code)] == []
    said = explain(TrialFailed(release=7, slot="b", reason="the kiosk: refused"))
    assert said.count("the kiosk: refused") == 2
    assert said.count("7") == 2
