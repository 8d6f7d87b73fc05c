"""Files at the root that other programs read."""

from __future__ import annotations

import shlex
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def test_the_hooks_before_a_commit_fetch_nothing_and_run_what_ci_runs() -> None:
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert local["repo"] == "local"
    entries = [shlex.split(hook["entry"]) for hook in local["hooks"]]
    assert {Path(words[0]).name for words in entries} == {"ruff", "mypy", "lint-imports"}
    checked = (ROOT / ".ci/run").read_text("utf-8")
    assert [words for words in entries if " ".join([Path(words[0]).name, *words[1:]]) not in checked] == []


def test_templates_and_documents_that_contributing_names_are_there() -> None:
    told = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    named = (".editorconfig", ".pre-commit-config.yaml", "CODE_OF_CONDUCT.md", "SECURITY.md", "CHANGELOG.md")
    assert [name for name in named if name not in told or not (ROOT / name).exists()] == []
    assert {file.name for file in (ROOT / ".github").rglob("*.md")} == {
        "fault.md",
        "wish.md",
        "PULL_REQUEST_TEMPLATE.md",
    }
