"""LUKS2 by Debian's cryptsetup and systemd-cryptenroll; keys go through pipes, never through arguments or files.

The keys are random, so a slow key derivation would protect nothing and cost a small box seconds: PBKDF2 at its least.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from device.secrets import Secret
from provisioning.storage.errors import VolumeFailed

_QUICK = ("--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000")
_SECONDS = 120
_AES = ("--cipher", "aes-xts-plain64", "--key-size", "512")
_ADIANTUM = ("--cipher", "xchacha20,aes-adiantum-plain64", "--key-size", "256")
"""Where the processor has no AES instructions (Raspberry Pi 4): several times as fast there."""
_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
TPM_DEVICES = ("/dev/tpmrm0",)


def has_tpm() -> bool:
    """Whether this machine has one that the kernel manages."""
    return any(Path(device).exists() for device in TPM_DEVICES)


def cipher(cpu: str) -> tuple[str, ...]:
    """cryptsetup's options for a processor; cpu: /proc/cpuinfo."""
    return _AES if " aes" in cpu else _ADIANTUM


def is_luks(device: str) -> bool:
    """Whether ``device`` bears a LUKS header."""
    return _code(["cryptsetup", "isLuks", device]) == 0


def is_blank(device: str) -> bool:
    """Whether nothing that wipefs knows is on ``device``."""
    found = subprocess.run(
        ["wipefs", "--noheadings", device], capture_output=True, check=False, timeout=_SECONDS, env=_environment()
    )
    return found.returncode == 0 and not found.stdout.strip()


def make(device: str, key: Secret, options: Sequence[str]) -> None:
    """A new volume; what was there is lost. Raises VolumeFailed."""
    _run(["cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2", *_QUICK, *options, device, "-"], key.reveal())


def add_key(device: str, key: Secret, another: Secret) -> None:
    """``another`` opens it as well. Raises VolumeFailed."""
    number, writing = os.pipe()
    os.write(writing, another.reveal())  # some 64 bytes: they fit the pipe
    os.close(writing)
    try:
        words = [
            "cryptsetup",
            "luksAddKey",
            "--batch-mode",
            *_QUICK,
            "--key-file",
            "-",
            device,
            f"/proc/self/fd/{number}",
        ]
        _run(words, key.reveal(), pass_fds=(number,))
    finally:
        os.close(number)


def bind_tpm(device: str, key: Secret) -> None:
    """The TPM opens it, while the machine starts as it does now (PCR 7). Raises VolumeFailed."""
    words = ["systemd-cryptenroll", "--tpm2-device=auto", "--tpm2-pcrs=7", device]
    _run(words, b"", environment={"PASSWORD": key.reveal().decode("ascii")})


def opens(device: str, key: Secret) -> bool:
    """Whether ``key`` is one of its keys; nothing is opened."""
    return _code(["cryptsetup", "open", "--test-passphrase", "--key-file", "-", device], key.reveal()) == 0


def open_with(device: str, mapping: str, key: Secret) -> None:
    """/dev/mapper/MAPPING. Raises VolumeFailed."""
    _run(["cryptsetup", "open", "--allow-discards", "--key-file", "-", device, mapping], key.reveal())


def open_by_tpm(device: str, mapping: str) -> None:
    """The same by the TPM. Raises VolumeFailed."""
    program = "/lib/systemd/systemd-cryptsetup"
    _run([program, "attach", mapping, device, "-", "tpm2-device=auto,headless=1,discard"], b"")


def close(mapping: str) -> None:
    """Raises VolumeFailed."""
    _run(["cryptsetup", "close", mapping], b"")


def _environment(more: dict[str, str] | None = None) -> dict[str, str]:
    return {"PATH": _PATH, "LC_ALL": "C.UTF-8", **(more or {})}


def _code(words: Sequence[str], given: bytes = b"") -> int:
    try:
        done = subprocess.run(
            words, input=given, capture_output=True, check=False, timeout=_SECONDS, env=_environment()
        )
    except (OSError, subprocess.TimeoutExpired):
        return -1
    return done.returncode


def _run(
    words: Sequence[str],
    given: bytes,
    *,
    pass_fds: Sequence[int] = (),
    environment: dict[str, str] | None = None,
) -> None:
    try:
        done = subprocess.run(
            words,
            input=given,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
            pass_fds=pass_fds,
            env=_environment(environment),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise VolumeFailed(step=words[0], reason=type(error).__name__) from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise VolumeFailed(step=" ".join(words[:2]), reason=said[-1] if said else f"exit {done.returncode}")
