"""The ``hiroba`` command. Each group is a file in ``commands/`` and is loaded only when it is called. Exit codes: 0
done, 1 it failed and one clear message says why, 2 wrong use.
"""

from __future__ import annotations

import errno
import importlib
import importlib.util
import io
import os
import sys
from typing import NoReturn

import click

from device.errors import HirobaError

COMMANDS = {
    "apply": ("apply", "Make this box be what its site file says; show it first."),
    "audit": ("audit", "The audits: whether they are whole and as city hall received them."),
    "backup": ("backup", "Encrypted archive of this box; the key for it."),
    "bench": ("bench", "Measure side by side with peers, as a table of ratios."),
    "bundle": ("bundle", "Signed updates: build, publish, install, roll back."),
    "demo": ("demo", "Everything on virtual hardware."),
    "disaster": ("disaster", "Disaster mode of the Wi-Fi: on, off, status."),
    "doctor": ("doctor", "What is wrong with this box, why, and the next step."),
    "install": ("install", "Make this checkout what the box runs: slot, units, site file."),
    "enrol": ("enrol", "Make this box known to city hall: ask, renew, status."),
    "cityhall": ("cityhall", "City hall's side: enrolment codes, staff accounts, boxes."),
    "heartbeat": ("heartbeat", "Tell city hall how this box is, and send what waits."),
    "journal": ("journal", "Requests on this kiosk: list, show, resolve."),
    "register": ("register", "The issuer's register of residents: import, link, restrict, revoke, show."),
    "retention": ("retention", "How long records are kept: run, show."),
    "restore": ("restore", "Lay an archive onto a blank box."),
    "run": ("run", "Run one process: kiosk, issuer, portal, gate, stats, cityhall."),
    "seal": ("seal", "The city's seal: change its key; signed lists of keys."),
    "seed": ("seed", "A new box's first start: cloud-init files, enrolment code, labels."),
    "site": ("site", "Check a site file, of a box or a city; render from it; describe its keys."),
    "staff-code": ("staff_code", "Make the hash of a staff code for the site file."),
    "stats": ("stats", "Wi-Fi usage: show, export."),
    "storage": ("storage", "The encrypted volume under this box's state."),
    "test": ("test", "Run the tests, all or one group."),
    "verify": ("verify", "Whether a certificate bears the city's seal: PDF, picture or text."),
    "virtual": ("virtual", "Work the virtual card and printers."),
    "voucher": ("voucher", "Wi-Fi vouchers: make a batch."),
    "wifi": ("wifi", "Phones online: online, show, end."),
    "wipe": ("wipe", "Disposal: destroy this box's state, with a record."),
}
"""Command -> (file in commands/, one line of help)."""
FOR_DEVELOPERS = ("bench", "demo")
"""Commands whose rooms, of the same names, are in a checkout and on no box."""
RENAMED = {
    "fleet": "cityhall",
}
"""Former name of a command -> its name now. The script ``hiroba`` reads these lines."""


_HELP = frozenset({"-h", "--help"})


class _Lazy(click.Group):
    """A group whose commands are imported when used, so that ``hiroba run kiosk`` loads nothing of the gate."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        here = [name for name, (module, _) in COMMANDS.items() if _present(f"provisioning.commands.{module}")]
        return sorted(name for name in here if name not in FOR_DEVELOPERS or _present(f"provisioning.{name}"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in RENAMED:
            from provisioning.commands.renamed import now_called

            cmd_name = now_called(ctx, cmd_name, RENAMED)
        if cmd_name not in COMMANDS or not _present(f"provisioning.commands.{COMMANDS[cmd_name][0]}"):
            return None
        if cmd_name in FOR_DEVELOPERS and not _present(f"provisioning.{cmd_name}"):
            from provisioning.errors import CheckoutNeeded

            raise CheckoutNeeded(command=cmd_name, folder=f"provisioning/{cmd_name}")
        command = importlib.import_module(f"provisioning.commands.{COMMANDS[cmd_name][0]}").command
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See click.Group; what was typed wrong gets the command nearest to it as a suggestion."""
        try:
            name, command, rest = super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=self.list_commands(ctx), ctx=ctx) from error
        if command is not None and (not rest or not _HELP.isdisjoint(rest)):
            from provisioning.help_text import shown, words_for

            command = shown(command, words_for(os.environ))
        return name, command, rest

    def get_help(self, ctx: click.Context) -> str:
        """See click.Command; in Japanese where the locale is."""
        from provisioning.help_text import JapaneseFormatter, plain, words_for

        words = words_for(os.environ)
        if words is None:
            return super().get_help(ctx)
        formatter = JapaneseFormatter(width=ctx.terminal_width, max_width=ctx.max_content_width)
        self.format_usage(ctx, formatter)
        with formatter.indentation():
            formatter.write_paragraph()
            formatter.write_text(words[plain(self.help)])
        self.format_options(ctx, formatter)
        return formatter.getvalue().rstrip("\n")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See click.Group."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


def _present(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hiroba")
def hiroba() -> None:
    """Hiroba (ひろば): a city's certificates at a kiosk, and free Wi-Fi behind a captive portal."""


def main() -> None:
    """The entry point: errors become one clear message and exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        _write_japanese(stream)
    try:
        ended = hiroba.main(standalone_mode=False)  # without its own error pages, click hands an Exit's code back
        sys.exit(ended if isinstance(ended, int) else 0)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except HirobaError as error:
        _fail(error)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader of our output has gone: nothing left to say
        sys.exit(1)
    except OSError as error:
        from provisioning.errors import FileTrouble

        if error.filename is None and error.errno not in (errno.ENOSPC, errno.EROFS):
            raise  # not about a file: a surprise, whose place the maintainers need
        _fail(FileTrouble(error))


def _write_japanese(stream: object) -> None:
    """UTF-8 where the locale's own encoding has no Japanese (C, Latin-1): our words are Japanese first. What it cannot
    write (a rare character, a file's name in another encoding) is written as an escape, and ends no command.
    """
    if isinstance(stream, io.TextIOWrapper):
        try:
            "ひろば".encode(stream.encoding)
            stream.reconfigure(errors="backslashreplace")
        except UnicodeEncodeError:
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _fail(error: HirobaError) -> NoReturn:
    from provisioning.messages import explain

    click.echo(explain(error), err=True)
    sys.exit(1)
