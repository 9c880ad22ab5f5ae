"""`gatehouse serve-request`: does as root what the keeper asked for, once, and answers.

Started by a path unit for each name of `appliance.requests.RequestName`. Who serves what is in `HANDLERS`; a handler is
given the checked request, the box's settings and the moment (Unix seconds); it returns when the thing is done, raises
`RefusedError` where it may not be, `LaterError` where it may not be now, and anything else where it went wrong.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from appliance import clock, requests
from appliance import settings as box_settings
from appliance.requests import Answer, LaterError, RefusedError, RequestError, RequestName
from appliance.settings import BoxSettings
from firmware import layout
from wire.files import FileError

Handler = Callable[[Any, BoxSettings, float], None]

HANDLERS: dict[RequestName, str] = {
    RequestName.TAKE_RELEASE: "appliance.upkeep.serving:take_release",
    RequestName.SET_NETWORK: "appliance.upkeep.network:set_network",
    RequestName.WIPE: "appliance.fitting.wipe:serve",
}
"""`module:function` of each name; imported when it is asked for."""

_MOST_TOLD = 300


@click.command(name="serve-request")
@click.argument("name", type=click.Choice([name.value for name in RequestName]))
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path(layout.BOX_FILE),
    show_default=True,
    help="The box's settings file (TOML).",
)
def serve_request(name: str, config: Path) -> None:
    """Do what the box's keeper asked for under NAME, and answer. Systemd starts this; people need not.

    Exit codes: 0 done, refused with an answer, or nothing was asked; 1 it went wrong; 2 unusable settings.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        settings = box_settings.load(config)
    except FileError as error:
        click.echo(f"gatehouse serve-request: {error}", err=True)
        sys.exit(2)
    sys.exit(serve(RequestName(name), settings, now=clock.now))


def serve(name: RequestName, settings: BoxSettings, *, now: Callable[[], float]) -> int:
    """Serve one request; the exit code."""
    try:
        request = requests.take(settings.run_dir, name, owners=settings.allowed_uids("keeper"))
    except (RequestError, OSError) as error:
        click.echo(f"gatehouse serve-request: {name.value}: {error}", err=True)
        return 1
    if request is None:
        return 0
    answer = _answer(name, request, settings, now)
    requests.reply(settings.run_dir, answer)
    click.echo(f"{name.value}: {answer.outcome}. {answer.detail}".rstrip(". ") + ".")
    return 1 if answer.outcome == "failed" else 0


def _answer(name: RequestName, request: Any, settings: BoxSettings, now: Callable[[], float]) -> Answer:
    outcome, detail = "done", ""
    try:
        _handler(name)(request, settings, now())
    except RefusedError as error:
        outcome, detail = "refused", str(error)
    except LaterError as error:
        outcome, detail = "failed", str(error)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        logging.getLogger(__name__).exception("%s went wrong", name.value)
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        outcome, detail = "failed", f"The box could not carry it out: {reason}."
    return Answer.model_validate(
        {
            "request_id": request.request_id,
            "name": name,
            "outcome": outcome,
            "detail": detail[:_MOST_TOLD],
            "at": now(),
        }
    )


def _handler(name: RequestName) -> Handler:
    where = HANDLERS.get(name)
    if where is None:
        raise RefusedError("This box cannot do that.")
    module, _, function = where.partition(":")
    handler: Handler = getattr(import_module(module), function)
    return handler
