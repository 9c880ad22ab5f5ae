"""What is fail-closed, over a restart of the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.messages import Enforcement, Filter, encode
from appliance.warden.kept import Kept, closed_part

MAC, OTHER, THIRD = "02:00:5e:00:53:0a", "02:00:5e:00:53:0b", "02:00:5e:00:53:0c"
ENDS = 2_000_000_000.0
ORDER = Enforcement(
    generation=7,
    quarantined=(MAC, OTHER),
    closed=(OTHER,),
    filters=(Filter(number=1, macs=(MAC,)), Filter(number=2, macs=(MAC, THIRD), refused=("192.0.2.0/30",))),
    filtered_closed=(THIRD,),
    nearby=True,
    ends=ENDS,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "warden" / "closed.json"


@pytest.mark.req("R57")
def test_only_what_is_fail_closed_is_kept(path: Path) -> None:
    Kept(path).keep(ORDER)
    assert MAC not in path.read_text(), "what has a lease ends by itself"
    assert path.stat().st_mode & 0o777 == 0o600
    kept = Kept(path)
    assert kept.order == Enforcement(
        generation=0,
        quarantined=(OTHER,),
        closed=(OTHER,),
        filters=(Filter(number=2, macs=(THIRD,), refused=("192.0.2.0/30",)),),
        filtered_closed=(THIRD,),
        ends=ENDS,
    )
    assert (kept.over(ENDS - 1), kept.over(ENDS)) == (False, True)


@pytest.mark.req("R53")
def test_an_order_without_it_leaves_no_file(path: Path) -> None:
    kept = Kept(path)
    kept.keep(ORDER)
    written = path.stat().st_mtime_ns
    kept.keep(ORDER)
    assert path.stat().st_mtime_ns == written, "the same is not written again each quarter of a minute"
    kept.keep(Enforcement(generation=8, quarantined=(MAC, OTHER)))
    assert list(path.parent.iterdir()) == []
    assert Kept(path).order is None
    assert not Kept(path).over(ENDS)


def test_without_an_end_nothing_is_kept() -> None:
    assert closed_part(Enforcement(generation=1, quarantined=(MAC,), closed=(MAC,))) is None


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"[" * 5000, b"\xff" * 300_000, encode([Enforcement(generation=1, quarantined=())])]
)
def test_a_file_that_is_no_order_is_none(path: Path, raw: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(raw)
    assert Kept(path).order is None


def test_a_disk_that_takes_nothing_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "warden").write_text("not a folder")
    Kept(tmp_path / "warden" / "closed.json").keep(ORDER)
    assert "not held over a restart" in caplog.text
