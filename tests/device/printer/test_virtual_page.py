"""The virtual A4 printer seen by an independent client (ipptool), and what it draws."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from device.printer.virtual_page.print_engine import Job
from device.printer.virtual_page.server import VirtualPagePrinter
from tests.device.printer.pdfs import pdf


@pytest.fixture
def printer(tmp_path: Path) -> Iterator[VirtualPagePrinter]:
    with VirtualPagePrinter(tmp_path / "printer") as virtual:
        yield virtual


def ipptool(printer: VirtualPagePrinter, test: str, *options: str) -> str:
    command = ["ipptool", "-t", "-T", "10", *options, printer.uri, test]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def document(tmp_path: Path) -> str:
    file = tmp_path / "two.pdf"
    file.write_bytes(pdf(2))
    return str(file)


@pytest.mark.needs("ipptool")
@pytest.mark.parametrize("test", ["get-printer-attributes", "validate-job", "get-jobs", "create-job", "print-job"])
def test_the_simple_tests_of_ipptool_pass(printer: VirtualPagePrinter, document: str, test: str) -> None:
    assert "[PASS]" in ipptool(printer, f"{test}.test", "-f", document)


@pytest.mark.needs("ipptool")
def test_the_suite_of_ipptool_for_ipp_1_1_passes(printer: VirtualPagePrinter, document: str) -> None:
    assert ipptool(printer, "ipp-1.1.test", "-f", document).count("[PASS]") >= 29


def test_pages_are_drawn_where_their_ink_is(printer: VirtualPagePrinter) -> None:
    job = printer.engine.create("request-1")
    printer.engine.send(job, pdf(2))
    ended(job)
    pictures = sorted(printer.engine.folder.glob("job-0001-page-*.png"))
    assert len(pictures) == job.impressions == 2
    with Image.open(pictures[1]) as page:
        assert page.width == 1240  # A4 at 150 dpi
        assert page.convert("L").getpixel((250, 400)) == 0
        assert page.convert("L").getpixel((1000, 1600)) == 255


def ended(job: Job) -> None:
    for _ in range(3000):
        if job.state.final:
            return
        time.sleep(0.01)
    raise AssertionError(job.state)


HEAD = """  ATTR charset attributes-charset utf-8 ATTR language attributes-natural-language en
  ATTR uri printer-uri $uri"""
SEND = """ OPERATION Send-Document GROUP operation-attributes-tag
{head} ATTR integer job-id $job-id ATTR name requesting-user-name $user
  ATTR mimeMediaType document-format application/pdf ATTR boolean last-document true FILE $filename"""
CREATE_AND_SEND = """
{{ NAME "Create" OPERATION Create-Job GROUP operation-attributes-tag
{head} ATTR name requesting-user-name $user ATTR name job-name "request-1"
  STATUS successful-ok EXPECT job-id EXPECT job-uri EXPECT job-uuid }}
{{ NAME "Send" {send} STATUS successful-ok }}
{{ NAME "Again" {send} STATUS server-error-multiple-document-jobs-not-supported }}
"""
FOLLOW = """
{{ NAME "Follow" OPERATION Get-Job-Attributes GROUP operation-attributes-tag
{head} ATTR integer job-id 1 STATUS successful-ok
  EXPECT job-state OF-TYPE enum WITH-VALUE 9
  EXPECT job-name OF-TYPE name WITH-VALUE "request-1"
  EXPECT job-impressions-completed OF-TYPE integer WITH-VALUE 2 }}
"""


@pytest.mark.needs("ipptool")
def test_an_independent_client_creates_sends_and_follows_a_job(
    printer: VirtualPagePrinter, document: str, tmp_path: Path
) -> None:
    first, then = tmp_path / "create.test", tmp_path / "follow.test"
    first.write_text(CREATE_AND_SEND.format(head=HEAD, send=SEND.format(head=HEAD)), "utf-8")
    then.write_text(FOLLOW.format(head=HEAD), "utf-8")
    assert ipptool(printer, str(first), "-f", document).count("[PASS]") == 3
    ended(printer.engine.jobs[1])
    assert ipptool(printer, str(then)).count("[PASS]") == 1
