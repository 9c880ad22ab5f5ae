from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from dashboard.bundles.parts import BundleError
from dashboard.bundles.records import database, read
from lab.faults import bundling


def test_records_are_read_as_they_stand(tmp_path: Path) -> None:
    made = bundling.make(tmp_path, purpose="access")
    records = list(read(made.given["records.jsonl"]))
    assert [record.leaf["n"] for record in records[:4]] == [0, 1, 3, 4]
    assert records[1].plain["words"] == 'a "quoted" nåme'
    assert {record.state for record in records} == {"given", "others"}
    assert all(record.plain["label"] == "[another device]" for record in records if record.state == "others")


def test_the_database_is_the_same_each_time(tmp_path: Path) -> None:
    made = bundling.make(tmp_path)
    octets = database(read(made.given["records.jsonl"]))
    assert octets == database(read(made.given["records.jsonl"]))
    (tmp_path / "r.db").write_bytes(octets)
    connection = sqlite3.connect(tmp_path / "r.db")
    assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
    assert connection.execute("select count(*), min(n), max(n) from record").fetchall() == [(24, 0, 23)]
    connection.close()


def test_lines_that_are_no_records_are_refused() -> None:
    for wrong in (b"{}\n", b"\xff\xfe\n", b'{"leaf":{x},"salt":null,"state":"erased"}\n'):
        with pytest.raises(BundleError, match="line 1"):
            list(read(wrong))


def test_a_number_that_stands_twice_is_refused(tmp_path: Path) -> None:
    line = bundling.make(tmp_path).given["records.jsonl"].splitlines(keepends=True)[0]
    with pytest.raises(BundleError, match="do not make a database"):
        database(read(line * 2))
