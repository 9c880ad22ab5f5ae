"""`python -m dashboard.enrol --config dashboard.toml`: renews boxes' certificates, until SIGTERM.

Exit codes: 0 stopped, 2 unusable settings, keys, certificates or database address.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from dashboard.enrol.desk import Desk
from dashboard.enrol.issuing import Issuer
from dashboard.enrol.server import Server, server_context
from dashboard.settings import DashboardSettings, load
from dashboard.store.engine import DatabaseUrlError, open_engine
from dashboard.store.migrate import SchemaError, check
from wire.files import FileError


def assemble(settings: DashboardSettings) -> Server:
    """Put the server together; it listens from now on.

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
    engine = open_engine(settings.database_url)
    check(engine)
    desk = Desk(engine, Issuer(certificate=certificate, key=key), tenant=settings.tenant)
    try:
        return Server((enrol.host, enrol.port), desk, context, now=time.time)  # noqa: TID251 - the edge
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
        server = assemble(load(arguments.config))
    except (FileError, DatabaseUrlError, SchemaError) as error:
        sys.stderr.write(f"enrol: {error}\n")
        sys.exit(2)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: threading.Thread(target=server.shutdown).start())
    with server:
        server.serve_forever(poll_interval=0.2)


if __name__ == "__main__":
    main()
