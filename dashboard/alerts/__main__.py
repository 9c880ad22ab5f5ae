"""`python -m dashboard.alerts --config dashboard.toml`: messages to people, and the collector's feed, until SIGTERM.

Exit codes: 0 stopped, 2 unusable settings, key, certificates or database address. Bounded: see `dashboard.alerts.rounds`
and `dashboard.alerts.feeding`.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from dashboard import clock
from dashboard.alerts.channels import channel_key
from dashboard.alerts.collector import Collector
from dashboard.alerts.feeding import Feeder
from dashboard.alerts.rounds import Rounds
from dashboard.alerts.sending import send
from dashboard.settings import DashboardSettings, load
from dashboard.store.engine import DatabaseUrlError, open_engine
from dashboard.store.migrate import SchemaError, check
from wire.files import FileError

STOP_SECONDS = 30.0
_log = logging.getLogger(__name__)


def assemble(settings: DashboardSettings, engine: Engine) -> Rounds | None:
    """Put the rounds together; None where the settings have no `[alerts]`.

    Raises:
        FileError: the key cannot be used.
    """
    if settings.alerts is None:
        return None
    try:
        key = channel_key(settings.alerts.key_file or settings.secret_key_file)
    except (OSError, ValueError) as error:
        raise FileError(f"[alerts]: the key that seals addresses cannot be used: {error}") from error
    return Rounds(engine=engine, settings=settings, alerts=settings.alerts, key=key, send=send)


def assemble_feed(settings: DashboardSettings, engine: Engine, stop: threading.Event) -> Feeder | None:
    """Put the collector's feed together; None where the settings have no `[siem]`.

    Raises:
        FileError: a certificate that cannot be used; or there is neither `[alerts]` nor `[siem]`.
    """
    if settings.siem is None:
        if settings.alerts is None:
            raise FileError("the settings have neither [alerts] nor [siem]: there is nothing to do")
        return None
    collector = Collector(settings.siem, pause=stop.wait)
    return Feeder(engine=engine, tenant=settings.tenant, settings=settings.siem, collector=collector)


def work(rounds: Rounds, stop: threading.Event) -> None:
    """Look and send until told to stop; a database that is away is tried again."""
    while not stop.is_set():
        try:
            rounds.go(clock.now())
        except SQLAlchemyError as error:
            _log.error("a round was left out: %s", type(error).__name__)
        stop.wait(rounds.alerts.round_seconds)


def feed(feeder: Feeder, stop: threading.Event) -> None:
    """Feed the collector until told to stop."""
    while not stop.is_set():
        try:
            feeder.run(stop.is_set, stop.wait, clock.now)
        except SQLAlchemyError as error:
            _log.error("the collector's feed waits: %s", type(error).__name__)
            stop.wait(feeder.wait())


def main() -> None:
    """Read the command line and work until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m dashboard.alerts")
    parser.add_argument("--config", type=Path, required=True, help="the dashboard's settings file (TOML)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="alerts: %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines may quote an address
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        settings = load(arguments.config)
        engine = open_engine(settings.database_url)
        check(engine)
        rounds = assemble(settings, engine)
        feeder = assemble_feed(settings, engine, stop)
    except (FileError, DatabaseUrlError, SchemaError) as error:
        sys.stderr.write(f"alerts: {error}\n")
        sys.exit(2)
    feeding = None
    if feeder is not None:
        feeding = threading.Thread(target=feed, args=(feeder, stop), name="feed", daemon=True)
        feeding.start()
    if rounds is not None:
        _log.info("looking every %s seconds", rounds.alerts.round_seconds)
        work(rounds, stop)
    if feeding is not None:
        stop.wait()
        feeding.join(STOP_SECONDS)
    engine.dispose()


if __name__ == "__main__":
    main()
