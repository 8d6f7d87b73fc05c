"""Nothing that a process started is left when the process was killed, however early."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from device.child_process import ends_with_this_process

PARENT = """
import os, signal, subprocess, sys, time
from device.child_process import ends_with_this_process
child = subprocess.Popen(ends_with_this_process(["/bin/sleep", "60"]))
time.sleep(float(sys.argv[1]))
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def ends(pid: int) -> bool:
    """Whether the process ends by itself within ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.002, 0.003, 0.005, 0.01, 0.3])
def test_a_child_ends_with_a_parent_that_is_killed_at_any_moment(seconds: float) -> None:
    parent = subprocess.run([sys.executable, "-c", PARENT, str(seconds)], capture_output=True, text=True, check=False)
    assert parent.returncode == -9
    assert ends(int(parent.stdout))


def test_a_child_whose_parent_had_ended_before_it_asked_for_the_signal_does_not_begin() -> None:
    command = ends_with_this_process(["/bin/echo", "began"])
    (place,) = [i for i, word in enumerate(command) if word == str(os.getpid())]
    command[place] = "1"  # as who was given to init meanwhile sees it: its parent is another one
    begun = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (begun.returncode, begun.stdout) == (1, "")


def test_the_command_gets_its_words_as_they_are() -> None:
    words = ["a b", "$HOME", "'", ""]
    command = ends_with_this_process([sys.executable, "-c", "import sys; print(sys.argv[1:])", *words])
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout == f"{words}\n"
