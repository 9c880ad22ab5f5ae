from __future__ import annotations

from typing import Any

import pytest

from wire.base import Standing
from wire.findings import Finding

LAPTOP = "00:00:5e:00:53:01"


@pytest.mark.req("R26", "R29", "R55")
def test_names_hang_on_the_address_and_hits_on_the_device(bench: Any) -> None:
    device_id = bench.give(LAPTOP, Standing.REGISTERED)
    bench.acknowledge()
    sent = bench.payloads(bench.look_up(LAPTOP, "WWW.Bets.Example.", generation=bench.generation))
    (finding,) = [item for item in sent if isinstance(item, Finding)]
    assert (finding.device_id, finding.hit.entry) == (device_id, "bets.example")
    assert bench.payloads(bench.look_up(LAPTOP, "bets.example", generation=bench.generation)) == []
    assert bench.store.evidence.names([LAPTOP]) == {"www.bets.example": 1, "bets.example": 1}
    (row,) = bench.store._db.query("select clause, authority_id from name_visit where name = 'bets.example'")
    assert row == {"clause": "3", "authority_id": "authority-1"}
    bench.look_up(LAPTOP, "no name at all", generation=bench.generation)
    assert bench.core._book.refused == 1
