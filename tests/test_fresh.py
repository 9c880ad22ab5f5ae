from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.fresh import MAX_FILE, Fresh, Seen, read, write

MINE = frozenset({os.geteuid()})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run" / "fresh.json"
    fresh = Fresh(at=1.5, stage="enrolled", seen=Seen(cable=True, names=False), keys=3)
    write(path, fresh)
    assert read(path, owners=MINE) == fresh
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_another_users_file_and_a_link_count_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "fresh.json"
    write(path, Fresh(at=1))
    assert read(path, owners=frozenset({os.geteuid() + 1})) is None
    (tmp_path / "link").symlink_to(path)
    assert read(tmp_path / "link", owners=MINE) is None
    assert read(tmp_path / "none", owners=MINE) is None


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 5000, b'{"at": -1}', b'{"at": 1}' + b" " * MAX_FILE])
def test_what_is_no_such_file_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "fresh.json"
    path.write_bytes(content)
    assert read(path, owners=MINE) is None


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_octets_are_a_state_or_none(tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "fresh.json"
    path.write_bytes(junk)
    assert read(path, owners=MINE) is None or junk
