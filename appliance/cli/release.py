"""`gatehouse release`: statements about releases of the box's software, signed with an offline key; and their bundles.

In: a bundle's file, keys in PEM. Out: signed files, plain sentences, exit codes. The release key belongs on a machine
that is not connected to anything; nothing here talks to a box.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from appliance import clock
from appliance.upkeep.bundle import last_line
from wire import release as wire_release
from wire.documents import DocumentError
from wire.files import replace
from wire.keys import KeyFileError, key_id, public_text, read_signing, verify_key, write_private
from wire.release import MAX_STATEMENT, Release, SignedRelease

_GOOD, _BAD, _UNUSABLE = 0, 1, 2
_FILE = click.Path(path_type=Path, dir_okay=False)
_DAYS = 90
_BUILD_SECONDS = 1800.0


@click.group()
def release() -> None:
    """Make, sign and check releases of the box's software.

    A release is a bundle, which the box's installer checks by its own certificate, and a statement, signed with an
    offline key, that says which bundle is the one to have, for which board, and until when.
    """


@release.command()
@click.option("--out", type=_FILE, required=True, help="Where the private key goes (PEM). Never overwritten.")
def keygen(out: Path) -> None:
    """Make a release key and print its public part.

    Do this on a machine without a network and keep the file there. The public part goes into operator.toml
    (release_keys) and into the settings of the dashboard.
    """
    key = Ed25519PrivateKey.generate()
    try:
        write_private(out, key)
    except FileExistsError:
        _fail(f"{out} is there already and a key is never overwritten; choose another name")
    except OSError as error:
        _fail(f"{out}: cannot be written ({error.strerror})")
    click.echo(public_text(key))
    click.echo(f"Private key in {out}: keep it offline. Its short name is {key_id(public_text(key))}.", err=True)


@release.command()
@click.option("--root", "image", type=_FILE, required=True, help="The system partition's image (ext4 or squashfs).")
@click.option("--board", required=True, help="What it may be written to, such as pi4.")
@click.option("--version", required=True, help="Year, month, number: 2026.11.1.")
@click.option("--cert", type=_FILE, required=True, help="Certificate of the bundles' signer (PEM).")
@click.option("--key", type=_FILE, required=True, help="Its private key (PEM).")
@click.option("--out", type=_FILE, required=True, help="Where the bundle goes (.raucb). Never overwritten.")
@click.option(
    "--boot", type=_FILE, default=None, help="The boot partition's image, on boards where each version has one."
)
@click.option(
    "--keyring",
    type=_FILE,
    default=None,
    help="What boxes check it by (PEM), where that is not the certificate itself.",
)
def bundle(  # noqa: PLR0917 - click names them
    image: Path, board: str, version: str, cert: Path, key: Path, out: Path, boot: Path | None, keyring: Path | None
) -> None:
    """Make a bundle of an image with RAUC, and check it.

    The bundle is of the verity format: a box checks each block as it reads it.
    """
    if out.exists():
        _fail(f"{out} is there already; choose another name")
    images = {"rootfs": image} | ({"boot": boot} if boot else {})
    for path in (*images.values(), cert, key, keyring or cert):
        if not path.is_file():
            _fail(f"{path}: is not there")
    if shutil.which("rauc") is None:
        _fail("rauc is missing: apt-get install rauc squashfs-tools")
    content, fresh = out.with_name(f".{out.name}.content"), out.with_name(f".{out.name}.new")
    try:
        content.mkdir()
        names = {kind: f"{kind}{path.suffix or '.img'}" for kind, path in images.items()}
        for kind, path in images.items():
            try:
                (content / names[kind]).hardlink_to(path)
            except OSError:  # on another file system
                shutil.copyfile(path, content / names[kind])
        (content / "manifest.raucm").write_text(_manifest(board, version, names), encoding="ascii")
        _rauc("bundle", f"--cert={cert}", f"--key={key}", str(content), str(fresh))
        _rauc("info", f"--keyring={keyring or cert}", str(fresh))
        fresh.replace(out)
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}")
    finally:
        shutil.rmtree(content, ignore_errors=True)
        fresh.unlink(missing_ok=True)
    click.echo(f"{out}: {out.stat().st_size:,} octets, version {version} for {board}.")


@release.command()
@click.argument("file", type=_FILE)
@click.option("--key", type=_FILE, required=True, help="The release key (PEM).")
@click.option("--board", required=True, help="What the bundle is made for, such as pi4.")
@click.option("--version", required=True, help="Year, month, number: 2026.11.1.")
@click.option("--url", required=True, help="Where boxes fetch the bundle.")
@click.option("--floor", default=None, help="No box goes below this version once it runs the release; its own version.")
@click.option("--days", type=click.IntRange(1, 400), default=_DAYS, show_default=True, help="So long it may be taken.")
@click.option("--security", is_flag=True, help="It mends a fault: boxes do not wait for the night.")
@click.option("--notes", default="", help="For engineers: what changed.")
@click.option("--out", type=_FILE, required=True, help="Where the signed statement goes (JSON).")
def sign(  # noqa: PLR0917 - click names them
    file: Path,
    key: Path,
    board: str,
    version: str,
    url: str,
    floor: str | None,
    days: int,
    security: bool,
    notes: str,
    out: Path,
) -> None:
    """Sign a statement about the bundle FILE, and say in plain words what boxes will do."""
    if out.exists() and any(path.exists() and out.samefile(path) for path in (file, key)):
        _fail(f"--out: {out} is what is read here and would be lost; choose another name")
    issued = datetime.fromtimestamp(clock.now(), UTC).replace(microsecond=0)
    try:
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        plain = Release(
            version=version,
            board=board,
            url=url,
            sha256=digest,
            size=file.stat().st_size,
            floor=floor or version,
            issued=issued,
            expires=issued + timedelta(days=days),
            security=security,
            notes=notes,
        )
        if wire_release.parts(plain.floor) > wire_release.parts(plain.version):
            _fail(f"--floor: {plain.floor} is above the release's own version")
        signed = wire_release.sign(plain, read_signing(key))
        replace(out, signed.model_dump_json(indent=2).encode() + b"\n", mode=0o644)
    except ValidationError as error:
        _fail("; ".join(f"{item['loc'][0]}: {item['msg']}" for item in error.errors()))
    except KeyFileError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}")
    _tell(plain)
    click.echo(f"\nSigned by {signed.signatures[0][0]}, written to {out}.")


@release.command()
@click.argument("statement", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print the statement as JSON.")
def show(statement: Path, as_json: bool) -> None:
    """Say in plain words what STATEMENT has boxes do. Checks no signature; see `verify`."""
    plain = _signed(statement).release
    if as_json:
        click.echo(json.dumps(plain.model_dump(mode="json"), indent=2))
        return
    _tell(plain)
    click.echo("\nUse `verify` to see whether the signature holds.")


@release.command()
@click.argument("statement", type=_FILE)
@click.option("--key", "keys", multiple=True, required=True, help="Public release key; may be repeated.")
@click.option("--bundle", "file", type=_FILE, default=None, help="Compare with this bundle too.")
def verify(statement: Path, keys: tuple[str, ...], file: Path | None) -> None:
    """Say whether STATEMENT may be followed now.

    Exit codes: 0 it may; 1 it may not (signature, dates, another bundle); 2 a file cannot be read.
    """
    signed = _signed(statement)
    try:
        plain = wire_release.verify(signed, [verify_key(text) for text in keys])
    except KeyFileError as error:
        _fail(f"--key: {error}")
    except DocumentError as error:
        _no(str(error))
    now = datetime.fromtimestamp(clock.now(), UTC)
    if plain.expires <= now:
        _no(f"it expired on {plain.expires:%d %B %Y}")
    if file is not None:
        try:
            with file.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            _fail(f"{file}: cannot be read ({error.strerror})")
        if (digest, file.stat().st_size) != (plain.sha256, plain.size):
            _no(f"{file} is not the bundle that it is about")
    click.echo(f"The statement holds: version {plain.version} for {plain.board}, until {plain.expires:%d %B %Y}.")


def _tell(plain: Release) -> None:
    click.echo(f"Version {plain.version} for {plain.board}, {plain.size:,} octets from {plain.url}")
    click.echo(f"SHA-256 {plain.sha256}")
    click.echo(
        f"Boxes may take it until {plain.expires:%d %B %Y}, and go below {plain.floor} never again once it runs."
    )
    if plain.security:
        click.echo("It mends a fault: boxes take it as soon as nobody minds, and within 6 hours of having it.")
    else:
        click.echo("Boxes start anew for it at night.")
    if plain.notes:
        click.echo(f"Notes: {plain.notes}")


def _manifest(board: str, version: str, names: dict[str, str]) -> str:
    """RAUC's manifest of a bundle; `names`: file of each class of partition."""
    for text in (board, version, *names.values()):
        if not text.isascii() or not text.isprintable() or set(text) & set("=[] "):
            _fail(f"{text!r} cannot be written into a bundle's manifest")
    head = f"[update]\ncompatible={board}\nversion={version}\n\n[bundle]\nformat=verity\n"
    return head + "".join(f"\n[image.{kind}]\nfilename={name}\n" for kind, name in names.items())


def _rauc(*words: str) -> None:
    try:
        ran = subprocess.run(["rauc", *words], capture_output=True, text=True, check=False, timeout=_BUILD_SECONDS)
    except subprocess.TimeoutExpired:
        _fail("rauc did not end in time")
    if ran.returncode != 0:
        _fail(f"rauc: {last_line(ran.stderr or ran.stdout)}")


def _signed(path: Path) -> SignedRelease:
    try:
        with path.open("rb") as file:
            return wire_release.parse_signed(file.read(MAX_STATEMENT + 1))
    except OSError as error:
        _fail(f"{path}: cannot be read ({error.strerror})")
    except DocumentError as error:
        _fail(f"{path}: {error}")


def _no(why: str) -> NoReturn:
    click.echo(f"The statement does not hold: {why}.")
    sys.exit(_BAD)


def _fail(text: str) -> NoReturn:
    click.echo(f"gatehouse release: {text}", err=True)
    sys.exit(_UNUSABLE)
