"""Serves the pages: `python -m dashboard.web --config dashboard.toml [--fd N ... | --listen HOST:PORT]`.

In: a settings file and listening sockets, inherited, or one opened here. Exits 0 on SIGTERM, 2 with one
plain line when it cannot start. Bounded: `--threads` requests at once, and waitress's own limits on
connections and bodies.
"""

from __future__ import annotations

import logging
import signal
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import click
from waitress.server import create_server

from dashboard.app import SecretError, create_app
from dashboard.settings import load
from dashboard.store.engine import DatabaseUrlError
from dashboard.store.migrate import SchemaError, check
from wire.files import FileError

_BACKLOG = 128


class ListenError(ValueError):
    """The address cannot be listened on; the text says why."""


def listen(address: str) -> socket.socket:
    """A listening TCP socket at `HOST:PORT`; an IPv6 host stands in brackets.

    Raises:
        ListenError: not an address, or it is taken or not ours.
    """
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not (port.isascii() and port.isdecimal() and int(port) < 65536):
        raise ListenError(f"{address!r} is not an address; give HOST:PORT, for example 127.0.0.1:8080")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, int(port)))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ListenError(f"cannot listen on {address}: {error.strerror}; choose another with --listen") from error
    return listener


def inherited(descriptor: int) -> socket.socket:
    """The listening socket that the caller left at this descriptor.

    Raises:
        ListenError: there is none.
    """
    try:
        found = socket.socket(fileno=descriptor)
    except OSError as error:
        raise ListenError(f"descriptor {descriptor} is not a socket: {error.strerror}") from error
    if not found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        found.close()
        raise ListenError(f"descriptor {descriptor} is a socket that does not listen")
    return found


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", required=True, type=click.Path(path_type=Path), help="The dashboard's settings file.")
@click.option(
    "--fd", "fds", multiple=True, type=click.IntRange(min=0), help="Descriptor of an inherited listening socket."
)
@click.option("--listen", "address", metavar="HOST:PORT", help="Address to listen on  [default: 127.0.0.1:8080]")
@click.option("--threads", type=click.IntRange(1, 64), default=8, show_default=True, help="Requests served at once.")
def main(config: Path, fds: tuple[int, ...], address: str | None, threads: int) -> None:
    """Serve the officers' pages."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")
    # Waitress warns of every request that waits for a free thread; the pages poll, so that is no news.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if fds and address is not None:
        raise click.UsageError("give --fd or --listen, not both")
    try:
        settings = load(config)
        app = create_app(settings)
        check(app.extensions["gatehouse"].engine)
        listeners = [inherited(fd) for fd in fds] or [listen(address or "127.0.0.1:8080")]
    except (FileError, SecretError, DatabaseUrlError, SchemaError, ListenError) as error:
        click.echo(f"gatehouse pages: {error}", err=True)
        sys.exit(2)
    server = create_server(
        app,
        sockets=listeners,
        threads=threads,
        ident=None,
        url_scheme="https" if settings.secure_cookies else "http",
        max_request_body_size=256 * 1024,
        clear_untrusted_proxy_headers=True,
        **_proxy(settings.trusted_proxy),
    )
    signal.signal(signal.SIGTERM, _stop)
    logging.getLogger(__name__).info("serving on %s", ", ".join(map(_where, listeners)))
    try:
        server.run()
    except (SystemExit, KeyboardInterrupt):
        pass
    finally:
        server.close()
        app.extensions["gatehouse"].engine.dispose()


def _proxy(address: str | None) -> dict[str, Any]:
    """Whose headers on who is asking count: those of one proxy, one step; of anybody else they are thrown away."""
    if address is None:
        return {}
    # Not "forwarded" too: of two headers that say the same, one may be the client's own.
    return {
        "trusted_proxy": address,
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"},
    }


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _where(listener: socket.socket) -> str:
    name = listener.getsockname()
    if not isinstance(name, tuple):
        return str(name)
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    return f"http://{host}:{name[1]}/"


if __name__ == "__main__":
    main()
