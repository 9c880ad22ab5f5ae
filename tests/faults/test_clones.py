from __future__ import annotations

from pathlib import Path

import pytest

from lab.faults import clones


@pytest.mark.req("R68")
@pytest.mark.req("N3")
def test_a_copied_box_is_found_and_nothing_that_contradicts_is_confirmed(tmp_path: Path) -> None:
    result = clones.run(tmp_path, short=True, say=print)

    assert result.kept, dict(result.figures)
    assert result.figures["boxes copied"] == str(clones.SHORT)


def test_a_single_box_is_confirmed_and_never_accused(tmp_path: Path) -> None:
    keys = clones.Keys()
    server = clones.Server(tmp_path, keys)
    box = clones.Box(tmp_path / "box", keys, boot="a")
    for records in (1, 30, 200):
        box.work(records)
        clones.exchange(box, server)
    box.store.close()
    box = clones.Box(tmp_path / "box", keys, boot="b", now=box.now)  # the machine starts again
    box.work(3)
    clones.exchange(box, server)

    log = box.store.ledger.log
    assert not server.found()
    kept = [(head.size, head.root.hex()) for head in log.heads() if head.cosignature is not None]
    assert kept == server.cosigned()  # a head that waited made way for a newer one: that one is confirmed
    assert len(kept) == 4
    assert server.cosigned()[-1] == (box.store.ledger.size, box.store.ledger.root.hex())
    box.store.close()
    server.engine.dispose()
