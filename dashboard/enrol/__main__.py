"""`python -m dashboard.enrol --config dashboard.toml`: enrols boxes and renews their certificates, until SIGTERM.

Beside answering it lets boxes in at the broker, cuts off those that were revoked, and answers what a telephone brought
(`dashboard.enrol.following`).

Exit codes: 0 stopped, 2 unusable settings, keys, certificates or database address.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from dashboard import clock
from dashboard.enrol.assembling import broker_of, enroller_of
from dashboard.enrol.desk import Desk
from dashboard.enrol.following import Following
from dashboard.enrol.issuing import Issuer
from dashboard.enrol.server import Server, server_context
from dashboard.settings import DashboardSettings, load
from dashboard.store.engine import DatabaseUrlError, open_engine
from dashboard.store.migrate import SchemaError, check
from wire.files import FileError

STOP_SECONDS = 15.0
"""The broker may be slow to answer."""


def assemble(settings: DashboardSettings) -> tuple[Server, Following]:
    """Put the server together, and what it does beside; it listens from now on.

    Raises:
        FileError: settings without an `enrol` section, or a file that cannot be used.
        DatabaseUrlError: a database URL that cannot be used.
        SchemaError: the database was never set up, or is of another version.
    """
    enrol = settings.enrol
    if enrol is None:
        raise FileError("the settings have no [enrol] section: give address, certificates and the authority's key")
    try:
        certificate = x509.load_pem_x509_certificate(enrol.ca.read_bytes())
        key = load_pem_private_key(enrol.ca_key.read_bytes(), password=None)
        context = server_context(str(enrol.certificate), str(enrol.key))
    except (OSError, ValueError, TypeError) as error:
        raise FileError(f"[enrol]: a certificate or key cannot be used ({error})") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise FileError(f"{enrol.ca_key}: the authority's key is of a kind that is not used here")
    issuer = Issuer(certificate=certificate, key=key)
    engine = open_engine(settings.database_url)
    check(engine)
    broker = broker_of(settings)
    enroller = enroller_of(settings, engine, issuer, broker)
    desk = Desk(engine, issuer, tenant=settings.tenant)
    following = Following(engine, tenant=settings.tenant, broker=broker, enroller=enroller)
    try:
        return Server((enrol.host, enrol.port), desk, context, now=clock.now, enroller=enroller), following
    except OSError as error:
        raise FileError(f"[enrol]: cannot listen at {enrol.host} port {enrol.port} ({error.strerror})") from error


def main() -> None:
    """Read the command line and serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m dashboard.enrol")
    parser.add_argument("--config", type=Path, required=True, help="the dashboard's settings file (TOML)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="enrol: %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        settings = load(arguments.config)
        server, following = assemble(settings)
    except (FileError, DatabaseUrlError, SchemaError) as error:
        sys.stderr.write(f"enrol: {error}\n")
        sys.exit(2)
    stop = threading.Event()

    def end(_number: int, _frame: object) -> None:
        stop.set()
        threading.Thread(target=server.shutdown).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    every = 2.0 if settings.enrol is None else settings.enrol.look_seconds
    beside = threading.Thread(
        target=following.run, args=(stop.is_set, stop.wait, clock.now, every), name="following", daemon=True
    )
    beside.start()
    with server:
        server.serve_forever(poll_interval=0.2)
    beside.join(STOP_SECONDS)


if __name__ == "__main__":
    main()
