"""`python -m dashboard.ingest --config dashboard.toml`: one ingest worker, until SIGTERM.

Exit codes: 0 stopped, 2 unusable settings, keys, certificates or database address.
"""

from __future__ import annotations

import argparse
import logging
import secrets
import signal
import sys
import threading
import time
from pathlib import Path

from dashboard import backup
from dashboard.backup import BackupError
from dashboard.bundles.finishing import Finisher
from dashboard.ingest import handlers, releases
from dashboard.ingest.lead import BesideError, Place
from dashboard.ingest.outgoing import Writer
from dashboard.ingest.rounds import Rounds
from dashboard.ingest.session import Session
from dashboard.ingest.worker import Worker
from dashboard.settings import DashboardSettings, load
from dashboard.store.engine import DatabaseUrlError, open_engine
from dashboard.store.migrate import SchemaError, check
from dashboard.transfer import work
from wire.files import FileError
from wire.keys import KeyFileError, read_sealing, read_signing
from wire.tls import client_context

FINISH_SECONDS = 5.0
"""A bundle that is being made when the worker ends is made anew after the next start."""


def assemble(settings: DashboardSettings, stop: threading.Event) -> Worker:
    """Put a worker together.

    Raises:
        FileError: settings without an `ingest` section, or a certificate file that cannot be used.
        KeyFileError: a key that cannot be used.
        DatabaseUrlError: a database URL that cannot be used.
        SchemaError: the database was never set up, or is of another version.
    """
    ingest = settings.ingest
    if ingest is None:
        raise FileError("the settings have no [ingest] section: give broker, certificates and keys")
    context = client_context(ca=ingest.ca, certificate=ingest.certificate, key=ingest.key)
    signing_key, sealing_key = read_signing(ingest.signing_key), read_sealing(ingest.sealing_key)
    writer = Writer(
        tenant=settings.tenant,
        signing_key=signing_key,
        run=f"{ingest.worker[:32]}-{secrets.token_hex(4)}",
    )
    transfer_keys = work.Keys(
        tenant=settings.tenant,
        operator=settings.operator,
        show_names=settings.words.show == "name",
        signing=signing_key,
        sealing=sealing_key,
    )
    engine = open_engine(settings.database_url)
    check(engine)
    return Worker(
        session=Session(ingest, tenant=settings.tenant, context=context),
        engine=engine,
        tenant=settings.tenant,
        sealing_key=sealing_key,
        writer=writer,
        handlers=handlers.assemble(
            handlers.Means(tenant=settings.tenant, signing_key=signing_key, sealing_key=sealing_key)
        ),
        rounds=Rounds(
            tenant=settings.tenant,
            silent_seconds=settings.silent_seconds,
            expire_backups=lambda now: expire_backups(settings, now),
            transfers=lambda connection, now: work.work(connection, transfer_keys, now),
            bound=releases.Bound(share=settings.software.most_failed, least=settings.software.least_failed),
        ),
        now=time.time,  # noqa: TID251 - the edge
        monotonic=time.monotonic,
        pause=stop.wait,
    )


def take_place(settings: DashboardSettings) -> Place:
    """This worker's place beside others, or alone.

    Raises:
        BesideError: another is at work, and one of the two does not share.
    """
    return Place(open_engine(settings.database_url), shared=settings.ingest is not None and settings.ingest.shared)


def expire_backups(settings: DashboardSettings, now: float) -> None:
    """Destroy keys of backups that have run out; where that cannot be done, the log says so."""
    try:
        backup.expire(backup.key_list(settings.backup_keys, settings.secret_key_file), now=now)
    except (BackupError, OSError) as error:
        logging.getLogger(__name__).error("keys of backups that have run out cannot be destroyed: %s", error)  # noqa: TRY400 - no program fault


def finish(settings: DashboardSettings, stop: threading.Event) -> None:
    """Complete bundles beside the worker: making one takes a while, and messages must not wait for it."""
    ingest = settings.ingest
    if ingest is None:
        return
    Finisher(
        open_engine(settings.database_url),
        tenant=settings.tenant,
        signing_key=read_signing(ingest.signing_key),
        sealing_key=read_sealing(ingest.sealing_key),
    ).run(stop.is_set, stop.wait, time.time)  # noqa: TID251 - the edge


def main() -> None:
    """Read the command line and work until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m dashboard.ingest")
    parser.add_argument("--config", type=Path, required=True, help="the dashboard's settings file (TOML)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="ingest: %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it announces every look at the version
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        settings = load(arguments.config)
        worker = assemble(settings, stop)
        place = take_place(settings)
        finishing = threading.Thread(target=finish, args=(settings, stop), name="bundles", daemon=True)
        finishing.start()
        worker.run(stop.is_set)
        finishing.join(FINISH_SECONDS)
        place.close()
    except (FileError, KeyFileError, DatabaseUrlError, SchemaError, BesideError) as error:
        sys.stderr.write(f"ingest: {error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
