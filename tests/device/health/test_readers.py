"""Readers, on folders laid out as the kernel does, and on a name server of the test's own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from device.health import readers


def laid(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_what_is_written_reads_back_and_one_block_is_written_over_each_time(tmp_path: Path) -> None:
    assert [readers.canary(tmp_path) for _ in range(3)] == ["ok"] * 3
    (block,) = tmp_path.iterdir()
    assert block.stat().st_size == 4096


def test_a_folder_that_can_not_be_written_fails(tmp_path: Path) -> None:
    assert readers.canary(tmp_path / "missing") == "failed"


def test_an_emmc_tells_its_wear_and_an_sd_card_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "mmcblk0" / "mmcblk0p2"
    disk.mkdir(parents=True)
    assert readers.wear(disk) == (None, None)
    laid(tmp_path, mmcblk0__device__life_time="0x02 0x09", mmcblk0__device__pre_eol_info="0x02")
    assert readers.wear(disk) == (90, 2)
    assert readers.wear(None) == (None, None)


def test_the_firmware_s_flags_come_from_sysfs(tmp_path: Path) -> None:
    folder = tmp_path / "devices/platform/soc/soc:firmware"
    folder.mkdir(parents=True)
    (folder / "get_throttled").write_text("50005\n")
    assert readers.throttled(tmp_path) == 0x50005


def test_a_voltage_sensor_alone_tells_under_voltage(tmp_path: Path) -> None:
    laid(tmp_path, class__hwmon__hwmon1__name="rpi_volt", class__hwmon__hwmon1__in0_lcrit_alarm="1")
    assert readers.throttled(tmp_path) == 1


def test_no_battery_clock_is_none(tmp_path: Path) -> None:
    assert readers.rtc_off(tmp_path) is None


def test_the_first_name_server_is_taken(tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text("# c\nsearch example.jp\nnameserver 192.0.2.1\nnameserver 192.0.2.2\n")
    assert readers.resolver(tmp_path / "resolv.conf") == "192.0.2.1"
    assert readers.resolver(tmp_path / "none") is None


@contextmanager
def name_server(answer: Callable[[bytes], bytes]) -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        line.settimeout(60)

        def once() -> None:
            question, caller = line.recvfrom(512)
            line.sendto(answer(question), caller)

        thread = threading.Thread(target=once)
        thread.start()
        yield int(line.getsockname()[1])
        thread.join()


@pytest.mark.parametrize(
    ("answer", "believed"),
    [
        (lambda q: q[:2] + b"\x81\x80" + q[4:], True),
        (lambda q: bytes([q[0] ^ 1]) + q[1:2] + b"\x81\x80" + q[4:], False),  # to another question
        (lambda q: q, False),  # no answer at all
    ],
)
def test_only_an_answer_to_our_question_counts(answer: Callable[[bytes], bytes], believed: bool) -> None:
    with name_server(answer) as port:
        assert readers.dns_answers("127.0.0.1", port) is believed


def test_a_name_server_that_is_not_there_is_silent() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        port = int(line.getsockname()[1])
    assert readers.dns_answers("127.0.0.1", port, 0.5) is False
    assert readers.dns_answers(None) is None


def test_a_container_and_a_board_are_known_by_what_the_system_wrote_down(tmp_path: Path) -> None:
    laid(tmp_path, systemd__container="systemd-nspawn\n", firmware__devicetree__base__model="Raspberry Pi 5\0")
    assert readers.container(tmp_path) == "systemd-nspawn"
    assert readers.container(tmp_path / "none") == ""
    assert readers.board(tmp_path) == "Raspberry Pi 5"
    assert readers.watchdog(tmp_path) == (False, False)


def test_a_kernel_setting_is_read_by_the_name_that_sysctl_uses(tmp_path: Path) -> None:
    folder = tmp_path / "net/ipv4/conf/eth0.10"
    folder.mkdir(parents=True)
    (folder / "rp_filter").write_text("2\n")
    assert readers.kernel_setting("net.ipv4.conf.eth0/10.rp_filter", tmp_path) == 2
    assert readers.kernel_setting("net.ipv4.ip_forward", tmp_path) is None
