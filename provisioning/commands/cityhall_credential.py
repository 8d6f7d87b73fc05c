"""``hiroba cityhall issuer-credential``: the TLS credential of an issuer on another machine than city hall."""

from __future__ import annotations

from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from device.clock import SystemClock
from provisioning.cityhall.boxes.authority import private_pem, write_private, write_public
from provisioning.cityhall.wiring import open_authority
from provisioning.commands.cityhall_file import read_cityhall
from provisioning.commands.options import site_options

CERTIFICATE, KEY = "issuer.pem", "issuer-key.pem"


@click.command("issuer-credential")
@site_options
@click.option("--name", required=True, help="The issuer's name or address, one of [cityhall] names.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for both files.")
def issuer_credential(config: Path, state: Path, name: str, out: Path) -> None:
    """Make the certificate and the key of an issuer on another machine, signed by the city's CA: for [issuer]
    tls_certificate and tls_key there. It is good for 397 days.
    """
    settings, clock = read_cityhall(config), SystemClock()
    if name not in settings.names:
        known = ", ".join(settings.names)
        raise click.UsageError(f"--name: [cityhall] names にありません / not among [cityhall] names: {known}")
    key = ec.generate_private_key(ec.SECP256R1())
    issued = open_authority(settings, state, clock).issue_server([name], key.public_key(), clock.now())
    write_private(out / KEY, private_pem(key))
    write_public(out / CERTIFICATE, issued.public_bytes(Encoding.PEM))
    click.echo(f"{out / CERTIFICATE}\n{out / KEY}")
