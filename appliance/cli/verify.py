"""`gatehouse verify`: check an evidence bundle, with the verifier that also stands by itself and is in every bundle."""

from __future__ import annotations

import click

from verify import main as check


@click.command()
@click.argument("bundle", type=click.Path(dir_okay=False))
@click.option("--box", metavar="KEYID", multiple=True, help="Id of the box's key as it was enrolled, 16 hex digits.")
@click.option("--server", metavar="KEYID", multiple=True, help="Id of the server's key.")
@click.option("--issuer", metavar="KEYID", multiple=True, help="Id of an issuer of authorities; may be given again.")
def verify(bundle: str, box: tuple[str, ...], server: tuple[str, ...], issuer: tuple[str, ...]) -> int:
    """Say what of BUNDLE holds, what does not, and what cannot be said.

    Nothing is sent and nothing is unpacked. Exit codes: 0 all holds; 1 something does not; 2 this is no bundle.
    """
    words = [
        f"--{name}={value}"
        for name, values in (("box", box), ("server", server), ("issuer", issuer))
        for value in values
    ]
    return check([*words, "--", bundle])
