"""`gatehouse lists`: look at the lists of a box, check a list file, sign a manifest, accept a version.

In: settings, files, keys in PEM. Out: plain sentences, signed manifests, exit codes. A publisher's key belongs
on a machine that is not connected to anything; `sign` and `check` talk to no box.
"""

from __future__ import annotations

import hashlib
import json
import select
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, get_args

import click
import msgspec

from appliance import clock, link
from appliance import settings as box_settings
from appliance.cli.status import ask
from appliance.keeper.lists.entries import Fault, Why
from appliance.keeper.lists.formats import Format, parse
from appliance.keeper.lists.jobs import REACHES
from appliance.messages import ListAccept, ListAnswered, ListState, MessageError
from wire.files import FileError, replace
from wire.keys import KeyFileError, read_signing
from wire.lists import MAX_MANIFEST, ListReach, Manifest, ManifestError, parse_toml, sign

MAX_LINES = 10
_WELL, _WRONG, _UNUSABLE, _UNREACHED = 0, 1, 2, 3
_PATIENCE = 3.0
_CONFIG = click.option(
    "--config", type=click.Path(path_type=Path), required=True, help="The box's settings file (TOML)."
)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def lists() -> None:
    """Look at the lists of a box, check a list file, sign a manifest.

    A list names sites; which lists count for which device is the authority's word.
    """


@lists.command()
@_CONFIG
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for a machine to read.")
def show(config: Path, as_json: bool) -> None:
    """Say of each list which version is in use, how old it is, and what is wrong with it.

    Exit codes: 0 all well, 1 a list is missing, out of date or was refused, 2 unusable settings, 3 the keeper
    cannot be reached.
    """
    try:
        answer = ask(_socket(config))
    except (OSError, MessageError, link.LinkClosedError) as error:
        _fail(f"the keeper does not answer ({error}); is `gatehouse up` running? Try as root", _UNREACHED)
    if as_json:
        click.echo(json.dumps({"lists": msgspec.to_builtins(answer.lists)}))
    else:
        for sentence in told(answer.lists):
            click.echo(sentence)
    sys.exit(_WRONG if any(wrong(item) for item in answer.lists) else _WELL)


@lists.command()
@click.argument("list_id", metavar="LIST")
@click.argument("version")
@_CONFIG
def accept(list_id: str, version: str, config: Path) -> None:
    """Take VERSION of LIST although it has lost many entries.

    Ask its publisher first whether that is right. The keeper logs that it was accepted; the list is fetched again.

    Exit codes: 0 it is tried now, 1 there is nothing to accept, 2 unusable settings, 3 the keeper cannot be reached.
    """
    try:
        wanted = ListAccept(list_id=list_id, version=version)
        msgspec.json.decode(msgspec.json.encode(wanted), type=ListAccept)
    except msgspec.ValidationError as error:
        _fail(f"LIST or VERSION is no such thing: {error}", _UNUSABLE)
    try:
        answer = _answer(_socket(config), wanted)
    except (OSError, MessageError, link.LinkClosedError) as error:
        _fail(f"the keeper does not answer ({error}); is `gatehouse up` running? Try as root", _UNREACHED)
    if answer.refusal:
        _fail(answer.refusal, _WRONG)
    click.echo(f"Version {version} of {list_id} will be taken. See: gatehouse lists show --config {config}")


@lists.command()
@click.argument("file", type=_FILE)
@click.option("--format", "format_", type=click.Choice([item.value for item in Format]), required=True)
@click.option("--reach", type=click.Choice(get_args(ListReach)), help="Of a line that is only a name.")
def check(file: Path, format_: str, reach: str | None) -> None:
    """Say what a box would make of FILE: how many entries, and which lines are none.

    Exit codes: 0 it can be used, 1 no line of it can be used, 2 it cannot be read.
    """
    entries = 0
    faults: dict[Why, list[int]] = {why: [] for why in Why}
    counts = dict.fromkeys(Why, 0)
    try:
        with file.open("rb") as stream:
            for item in parse(stream, Format(format_), plain=REACHES[reach]):
                if not isinstance(item, Fault):
                    entries += 1
                    continue
                counts[item.why] += 1
                if len(faults[item.why]) < MAX_LINES:
                    faults[item.why].append(item.line)
    except OSError as error:
        _fail(f"{file}: cannot be read ({error.strerror})", _UNUSABLE)
    click.echo(f"{entries:,} {'entry' if entries == 1 else 'entries'}, repeats counted.")
    for why, lines in faults.items():
        if lines:
            more = " and more" if counts[why] > len(lines) else ""
            click.echo(f"{counts[why]:,} {_WHY[why]}: line {', '.join(map(str, lines))}{more}.")
    if not entries:
        _fail(f"no line of {file} can be used; is it a list in the format {format_}?", _WRONG)


@lists.command(name="sign")
@click.argument("description", type=_FILE)
@click.argument("file", type=_FILE)
@click.option("--key", type=_FILE, required=True, help="The publisher's private key (PEM).")
@click.option("--out", type=_FILE, required=True, help="Where the signed manifest goes.")
def sign_manifest(description: Path, file: Path, key: Path, out: Path) -> None:
    """Sign a manifest for FILE; DESCRIPTION (TOML) says what the list is.

    Length, hash and number of entries are of FILE and need not be in DESCRIPTION. Make keys with
    `gatehouse authority keygen`, one for each purpose.

    Exit codes: 0 signed, 2 something cannot be used.
    """
    for taken in (description, file, key):
        if out.exists() and taken.exists() and out.samefile(taken):
            _fail(f"--out: {out} is what is read here and would be lost; choose another name", _UNUSABLE)
    try:
        manifest = _manifest(description, file)
        signed = sign(manifest, read_signing(key))
        replace(out, signed.model_dump_json(indent=2, exclude_none=True).encode() + b"\n", mode=0o644)
    except (KeyFileError, ManifestError) as error:
        _fail(str(error), _UNUSABLE)
    except OSError as error:
        _fail(f"{error.filename}: cannot be used ({error.strerror})", _UNUSABLE)
    click.echo(f"{manifest.title}: version {manifest.version}, number {manifest.number}, {manifest.entries:,} entries.")
    click.echo(f"A box says that it is out of date after {manifest.renew_by:%d %B %Y}.")
    click.echo(f"Signed by {signed.signatures[0].publisher}, written to {out}. Put {file.name} at {manifest.url}.")


def _manifest(description: Path, file: Path) -> Manifest:
    with description.open("rb") as stream:
        raw = stream.read(MAX_MANIFEST + 1)
    hashed, octets = hashlib.sha256(), 0
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            hashed.update(chunk)
            octets += len(chunk)
    # Before any table of the TOML: what follows a [table] belongs to it.
    own = f'sha256 = "{hashed.hexdigest()}"\noctets = {octets}\nentries = 0\n'
    try:
        manifest = parse_toml(own.encode() + raw)
    except ManifestError as error:
        raise ManifestError(f"{description}: {error}") from error
    with file.open("rb") as stream:
        found = parse(stream, Format(manifest.format), plain=REACHES[manifest.reach])
        entries = sum(not isinstance(item, Fault) for item in found)
    if not entries:
        raise ManifestError(f"no line of {file} can be used; is it a list in the format {manifest.format}?")
    return manifest.model_copy(update={"entries": entries})


def wrong(item: ListState) -> bool:
    """Whether a list is not as it should be."""
    return item.version is None or item.stale or bool(item.problem)


def told(found: tuple[ListState, ...]) -> list[str]:
    """Each list in plain sentences."""
    return [_told(item) for item in found] or ["This box has no lists."]


def _told(item: ListState) -> str:
    if item.version is None:
        return f"{item.list_id}: none in use. {_ended(item.problem)}".rstrip()
    said = [f"{item.list_id}: version {item.version}, {item.entries:,} entries"]
    if item.published is not None:
        said.append(f"published {datetime.fromtimestamp(item.published, UTC):%d %B %Y}")
    sentence = ", ".join(said) + "."
    if item.malformed:
        lines = ", ".join(map(str, item.malformed_lines))
        sentence += f" {item.malformed:,} lines are no entry (the first: {lines})."
    if item.unsupported:
        sentence += f" {item.unsupported:,} lines mean what names cannot tell and were left out."
    if item.stale:
        sentence += " It is out of date."
    return f"{sentence} {_ended(item.problem)}".rstrip()


def _ended(text: str) -> str:
    if not text:
        return ""
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


_WHY = {
    Why.MALFORMED: "malformed",
    Why.UNSUPPORTED: "mean what names cannot tell",
    Why.URL: "name a page and not a site",
    Why.PUBLIC_SUFFIX: "name a public suffix, which would catch everybody's sites",
    Why.TOO_WIDE: "name a network that is too wide",
}


def _socket(config: Path) -> Path:
    try:
        return box_settings.load(config).keeper_socket("status")
    except FileError as error:
        _fail(str(error), _UNUSABLE)


def _answer(path: Path, wanted: ListAccept) -> ListAnswered:
    connection = link.connect(path)
    try:
        connection.send(wanted)
        until = clock.monotonic() + _PATIENCE
        while (left := until - clock.monotonic()) > 0:
            select.select([connection], [], [], left)
            for message in connection.receive():
                if isinstance(message, ListAnswered):
                    return message
    finally:
        connection.close()
    raise TimeoutError(f"no answer in {_PATIENCE:g} s")


def _fail(text: str, code: int) -> NoReturn:
    click.echo(f"gatehouse lists: {text}", err=True)
    sys.exit(code)
