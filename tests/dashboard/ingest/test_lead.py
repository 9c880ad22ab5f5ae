from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from dashboard.ingest.lead import BesideError, Lead, Place
from dashboard.store import schema
from dashboard.store.chain import check
from dashboard.store.engine import open_engine, parallel
from dashboard.store.queries import write_audit


def test_one_of_several_leads_until_it_lets_go(engine: Engine) -> None:
    first, second = Lead(engine), Lead(engine)
    with first.transaction() as connection:
        assert connection is not None
    if engine.dialect.name == "sqlite":
        assert first.held
        return
    with second.transaction() as connection:
        assert connection is None
    assert (first.held, second.held) == (True, False)
    first.release()
    with second.transaction() as connection:
        assert connection is not None
        connection.execute(insert(schema.watchman).values(tenant="northmoor", since=1.0, at=1.0))
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(schema.watchman)).scalar_one() == 1
    assert second.taken == 1
    second.release()


def test_a_leader_whose_connection_was_cut_leads_no_more_and_another_one_does(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("one worker, one file")
    first, second = Lead(engine), Lead(engine)
    with first.transaction() as connection:
        assert connection is not None
        process = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with parallel(engine).begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:process, 5000)"), {"process": process})
    with pytest.raises(DBAPIError), first.transaction() as connection:  # noqa: PT012 - what is asked over the cut connection
        assert connection is not None
        connection.execute(text("SELECT 1"))
    assert not first.held
    with second.transaction() as connection:
        assert connection is not None
    with first.transaction() as connection:
        assert connection is None
    second.release()


def test_workers_share_a_database_only_where_all_of_them_do(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        with pytest.raises(BesideError, match="PostgreSQL"):
            Place(engine, shared=True)
        alone = Place(engine, shared=False)
        with pytest.raises(BesideError, match="several need PostgreSQL"):
            Place(engine, shared=False)
    else:
        together = [Place(engine, shared=True), Place(engine, shared=True)]
        with pytest.raises(BesideError, match="shared = true"):
            Place(engine, shared=False)
        for place in together:
            place.close()
        alone = Place(engine, shared=False)
        with pytest.raises(BesideError, match="shared = true"):
            Place(engine, shared=True)
    alone.close()
    Place(engine, shared=False).close()


@pytest.mark.req("R66")
def test_those_who_write_at_once_chain_the_audit_without_a_fork(engine: Engine) -> None:
    """Four writers, each with an engine of its own; the chain has every line, each after the one before."""
    troubles: list[BaseException] = []

    def write(writer: int) -> None:
        own = open_engine(engine.url.render_as_string(hide_password=False))
        try:
            for number in range(25):
                with (parallel(own) if writer % 2 else own).begin() as connection:
                    write_audit(
                        connection,
                        at=float(number),
                        account_id=None,
                        action="view",
                        subject=str(writer),
                        outcome="shown",
                    )
        except BaseException as error:  # noqa: BLE001 - told below, in the test's own thread
            troubles.append(error)
        finally:
            own.dispose()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not troubles
    with engine.connect() as connection:
        found = check(connection)
    assert (found.rows, found.broken_at) == (100, None)
