"""PostgreSQL's own dump and restore, and what is put right after it."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from sqlalchemy import func, select, update

from dashboard import auth, backup
from dashboard.access import Role
from dashboard.store import schema
from dashboard.store.chain import check
from dashboard.store.engine import open_engine
from lab.generator import Sizes, fill
from lab.postgres import Cluster, find_programs

NOW = 1_800_000_000.0


@pytest.mark.req("N17")
def test_what_pg_dump_wrote_is_put_back_and_safe_for_running_boxes(postgres: Cluster) -> None:
    source, target = postgres.fresh(like="fresh_1"), postgres.fresh()
    engine = open_engine(source)
    fill(engine, Sizes(households=2, devices=4, events=20, days=2, officers=1), NOW)
    with engine.begin() as connection:
        connection.execute(update(schema.site).values(sequence_floor=7))
    auth.add_account(engine, name="Officer", role=Role.OFFICER, now=NOW)
    engine.dispose()
    programs = find_programs()
    dump: Any = subprocess.run([programs / "pg_dump", "--format=custom", source], check=True, capture_output=True)
    subprocess.run([programs / "pg_restore", "--no-owner", f"--dbname={target}"], check=True, input=dump.stdout)
    restored = open_engine(target)
    backup.put_right(restored, NOW + 60)
    with restored.connect() as connection:
        assert check(connection).broken_at is None
        assert connection.execute(select(func.count()).select_from(schema.session)).scalar_one() == 0
        floors = connection.execute(select(schema.site.c.sequence_floor)).scalars().all()
        assert all(floor > 7 + 100 for floor in floors)
        said = select(func.count()).where(schema.audit.c.action == "restore-backup")
        assert connection.execute(said).scalar_one() == 3
    restored.dispose()
    postgres.drop(source)
    postgres.drop(target)
