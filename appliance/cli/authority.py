"""`gatehouse authority`: issue authority documents with an offline key, and look at them.

In: documents in TOML or JSON, keys in PEM. Out: signed files, plain sentences, exit codes.
The issuer's key belongs on a machine that is not connected to anything; nothing here talks to a box.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance import clock
from appliance.keeper import words
from appliance.keeper.authority import Scope, judge, when
from appliance.keeper.law.widening import widened
from wire.authority import (
    MAX_DOCUMENT,
    Authority,
    AuthorityError,
    SignedAuthority,
    parse_document,
    parse_signed,
    parse_toml,
    sign,
    verify,
)
from wire.files import replace
from wire.keys import KeyFileError, key_id, public_text, read_signing, verify_key, write_private

_IN_FORCE, _NOT_IN_FORCE, _UNUSABLE = 0, 1, 2
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def authority() -> None:
    """Issue, show and check authority documents.

    An authority document says what a court order, a licence condition or a consent lets one box
    collect, of which devices, and until when. Without a valid one a box records nothing.
    """


@authority.command()
@click.option("--out", type=_FILE, required=True, help="Where the private key goes (PEM). Never overwritten.")
def keygen(out: Path) -> None:
    """Make an issuer's key and print its public part.

    Do this on a machine without a network and keep the file there. The public part goes into
    the settings of the boxes as an issuer.
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


@authority.command(name="sign")
@click.argument("document", type=_FILE)
@click.option("--key", type=_FILE, required=True, help="The issuer's private key (PEM).")
@click.option("--out", type=_FILE, required=True, help="Where the signed file goes.")
def sign_document(document: Path, key: Path, out: Path) -> None:
    """Sign DOCUMENT (TOML or JSON) and say in plain words what it allows.

    Read the words before you hand the file on: they are what the box will do.
    """
    plain = _document(document)
    if plain.kind == "consent" and not plain.consents:
        _fail(f"{document}: consents: an authority by consent names the consent of every adult it rests on")
    for taken in (document, key):
        if out.exists() and taken.exists() and out.samefile(taken):
            _fail(f"--out: {out} is what is read here and would be lost; choose another name")
    try:
        signed = sign(plain, read_signing(key))
        replace(out, signed.model_dump_json(indent=2).encode() + b"\n", mode=0o644)
    except KeyFileError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{out}: cannot be written ({error.strerror})")
    _tell(plain)
    click.echo(f"\nSigned by {signed.signatures[0].issuer}, written to {out}.")


@authority.command()
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print the document as JSON.")
def show(file: Path, as_json: bool) -> None:
    """Say in plain words what FILE allows. Takes signed and unsigned documents; checks no signature."""
    try:
        document, signed = _signed(file).document, True
    except AuthorityError as error:
        try:
            document, signed = _parse(file), False
        except AuthorityError as plain_error:
            # A file with signatures was meant as a signed one: its own fault is the one to tell.
            meant_signed = b'"signatures"' in _read(file)
            _fail(f"{file}: {error if meant_signed else plain_error}")
    if as_json:
        click.echo(json.dumps(document.model_dump(mode="json"), indent=2))
        return
    _tell(document)
    click.echo("\nSigned; use `check` to see whether the signature holds." if signed else "\nNot signed.")


@authority.command()
@click.argument("file", type=_FILE)
@click.option("--issuer", "issuers", multiple=True, required=True, help="Public key of an issuer; may be repeated.")
@click.option("--at", type=str, default=None, metavar="TIME", help="Moment to judge by, such as 2026-05-31T12:00Z.")
@click.option("--box", type=str, default=None, metavar="TENANT/SITE", help="The box it should be for.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def check(file: Path, issuers: tuple[str, ...], at: str | None, box: str | None, as_json: bool) -> None:
    """Say whether FILE is in force.

    Exit codes: 0 in force; 1 not in force (signature, dates or box); 2 the file cannot be read.
    """
    moment = _moment(at)
    try:
        keys = [verify_key(text) for text in issuers]
    except KeyFileError as error:
        _fail(f"--issuer: {error}")
    try:
        signed = _signed(file)
    except AuthorityError as error:
        _result(as_json, _UNUSABLE, "unreadable", f"{file}: {error}")
    try:
        document = verify(signed, keys)
    except AuthorityError as error:
        _result(as_json, _NOT_IN_FORCE, "bad-signature", f"Not in force: {error}.")
    if box is not None and box != f"{document.tenant}/{document.site}":
        sentence = f"Not in force at {box}: the document is for {document.tenant}/{document.site}."
        _result(as_json, _NOT_IN_FORCE, "wrong-site", sentence)
    judgement = judge(document, moment)
    code = _IN_FORCE if judgement.scope is not None else _NOT_IN_FORCE
    _result(as_json, code, judgement.reason.value, judgement.sentence)


@authority.command()
@click.argument("before", type=_FILE)
@click.argument("after", type=_FILE)
def compare(before: Path, after: Path) -> None:
    """Say what AFTER allows that BEFORE does not.

    A document that allows more needs two people when it is sent to a box. Takes signed and unsigned
    documents. Exit codes: 0 it allows no more; 1 it allows more; 2 a file cannot be read.
    """
    more = widened(_either(before), _either(after))
    if not more:
        click.echo("It allows no more than the one before.")
        return
    click.echo("It allows more than the one before, and needs two people:")
    for sentence in more:
        click.echo(f"- {sentence}")
    sys.exit(_NOT_IN_FORCE)


def _either(path: Path) -> Authority:
    try:
        return _signed(path).document
    except AuthorityError:
        return _document(path)


def _tell(document: Authority) -> None:
    """A document in plain words."""
    click.echo(f"Authority {document.id}, number {document.number}, for box {document.tenant}/{document.site}.")
    click.echo(words.headline(document))
    click.echo(f"Responsible: {document.responsible_officer}. To be reviewed on {when(document.review_date)}.")
    click.echo()
    for sentence in words.clauses(document):
        click.echo(sentence)
    for sentence in words.terms(document):
        click.echo(sentence)
    click.echo("\nSo the box keeps:")
    for sentence in words.kept(Scope(authority=document)):
        click.echo(f"- {sentence}")


def _document(path: Path) -> Authority:
    try:
        return _parse(path)
    except AuthorityError as error:
        _fail(f"{path}: {error}")


def _parse(path: Path) -> Authority:
    raw = _read(path)
    return parse_toml(raw) if path.suffix.lower() == ".toml" else parse_document(raw)


def _signed(path: Path) -> SignedAuthority:
    return parse_signed(_read(path))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_DOCUMENT + 1)
    except OSError as error:
        _fail(f"{path}: cannot be read ({error.strerror})")


def _moment(text: str | None) -> float:
    if text is None:
        return clock.now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        _fail(f"--at: {text!r} is no time; write it like 2026-05-31T12:00Z")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _result(as_json: bool, code: int, reason: str, sentence: str) -> NoReturn:
    if as_json:
        click.echo(json.dumps({"in_force": code == _IN_FORCE, "reason": reason, "sentence": sentence}))
    else:
        click.echo(sentence, err=code == _UNUSABLE)
    sys.exit(code)


def _fail(text: str) -> NoReturn:
    click.echo(f"gatehouse authority: {text}", err=True)
    sys.exit(_UNUSABLE)
