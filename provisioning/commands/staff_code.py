"""``hiroba staff-code``: makes the hash of a staff code for the site file."""

from __future__ import annotations

import click


@click.command("staff-code")
def command() -> None:
    """Ask for a staff code twice, without showing it, and print its hash for [kiosk] staff_code_hash."""
    from kiosk.shell.staff_code import hash_staff_code, new_staff_code

    code = click.prompt("職員コード / staff code", hide_input=True, confirmation_prompt=True)
    click.echo(hash_staff_code(new_staff_code(code)))
