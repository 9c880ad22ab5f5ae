"""`gatehouse status`: asks the keeper's status socket; plain sentences or JSON out."""

from __future__ import annotations

import json
import select
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import click
import msgspec

from appliance import clock, link
from appliance import settings as box_settings
from appliance.messages import ListState, MessageError, Status, StatusRequest
from wire.files import FileError

_PATIENCE = 3.0  # seconds the keeper has for its answer


@click.command()
@click.option("--config", type=click.Path(path_type=Path), required=True, help="The box's settings file (TOML).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for a machine to read.")
def status(config: Path, *, as_json: bool) -> None:
    """Ask the running box how it is.

    Exit codes: 0 all well, 1 something is wrong (said in a plain sentence), 2 unusable settings,
    3 the keeper cannot be reached.
    """
    try:
        settings = box_settings.load(config)
    except FileError as error:
        _fail(2, str(error), as_json=as_json)
    path = settings.keeper_socket("status")
    try:
        answer = ask(path)
    except link.LinkClosedError:
        text = f"the keeper hung up at {path}: it answers root and its own user, or it is just ending; try as root"
        _fail(3, text, as_json=as_json)
    except (OSError, MessageError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        _fail(3, f"the keeper does not answer at {path} ({why}); is `gatehouse up` running?", as_json=as_json)
    problems = wrong(answer)
    if as_json:
        click.echo(json.dumps({"ok": not problems, "problems": problems, "status": msgspec.to_builtins(answer)}))
    else:
        for sentence in (*told(answer), *(f"Wrong: {problem}" for problem in problems)):
            click.echo(sentence)
    sys.exit(1 if problems else 0)


def ask(path: Path) -> Status:
    """The keeper's answer at socket `path`.

    Raises:
        OSError: nobody listens, the keeper hung up, or it did not answer in time.
        MessageError: the answer is no message.
    """
    connection = link.connect(path)
    try:
        connection.send(StatusRequest())
        until = clock.monotonic() + _PATIENCE
        while (left := until - clock.monotonic()) > 0:
            select.select([connection], [], [], left)
            for message in connection.receive():
                if isinstance(message, Status):
                    return message
    finally:
        connection.close()
    raise TimeoutError(f"no answer in {_PATIENCE:g} s")


def wrong(answer: Status) -> list[str]:
    """What is wrong, one plain sentence each; empty when all is well."""
    problems = []
    if not answer.recording:
        problems.append(f"the box keeps no records about devices: {answer.authority}")
    if not answer.sensor_connected:
        problems.append("the sensor is not connected: the box sees nothing")
    if not answer.warden_connected:
        problems.append("the warden is not connected: rules and taps are not looked after")
    if not answer.broker_connected:
        problems.append(f"the broker is not reached: {_count(answer.outbox, 'message')} waiting")
    problems += [
        f"the {tap.tap} tap lost frames {_count(tap.lost, 'time')}; how many is not known"
        for tap in answer.taps
        if tap.lost
    ]
    for item in answer.lists:
        if item.version is None:
            problems.append(f"the list {item.list_id} is not in use: {item.problem}")
        elif item.stale or item.problem:
            problems.append(
                f"the list {item.list_id} is {'out of date' if item.stale else 'not renewed'}: {item.problem or 'nothing newer came'}"
            )
    if answer.test_missed:
        problems.append(f"detection is not proved: {answer.test}")
    return problems


def told(answer: Status) -> list[str]:
    """The state in plain sentences."""
    sentences = [
        answer.authority,
        f"{_count(answer.devices, 'device')} known, {_count(answer.open_findings, 'open finding')}.",
        f"{_count(answer.outbox, 'message')} waiting for the server's receipt.",
    ]
    sentences += [
        f"Tap {tap.tap}: {_count(tap.messages, 'frame')}, {_count(tap.flows, 'flow')}." for tap in answer.taps
    ]
    sentences += [_age(item) for item in answer.lists if item.version is not None]
    if answer.test and not answer.test_missed:
        sentences.append(answer.test)
    return sentences


def _age(item: ListState) -> str:
    since = "" if item.published is None else f", published {datetime.fromtimestamp(item.published, UTC):%d %B %Y}"
    return f"List {item.list_id}: version {item.version}, {item.entries:,} entries{since}."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _fail(code: int, text: str, *, as_json: bool) -> NoReturn:
    if as_json:
        click.echo(json.dumps({"ok": False, "problems": [text], "status": None}))
    else:
        click.echo(f"gatehouse: {text}", err=True)
    sys.exit(code)
