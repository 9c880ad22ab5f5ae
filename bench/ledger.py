"""The ledger: records a second into a real store, leaves a second into the tree, and what a proof costs when it is long.

Beside it in the same run: SHA-256 alone over as many leaves and inner nodes, which is what no tree can do without.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from pathlib import Path

from appliance.keeper.store.database import Store
from wire import merkle
from wire.ledger import RecordKind

RECORDS, QUICK_RECORDS = 20_000, 2_000
TURN = 50
"""Records a transaction."""
LEAVES, QUICK_LEAVES = 1_000_000, 100_000


def measure(*, quick: bool = False) -> dict[str, object]:
    """Figures, each with its unit in its name."""
    return {**_records(QUICK_RECORDS if quick else RECORDS), **_leaves(QUICK_LEAVES if quick else LEAVES)}


def _records(count: int) -> dict[str, object]:
    body = b'{"finding":"' + b"x" * 600 + b'"}'
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as folder:
        path = Path(folder) / "keeper.db"
        store = Store(path)
        began = time.perf_counter()
        for _ in range(count // TURN):
            with store.transaction():
                for _ in range(TURN):
                    store.ledger.write(RecordKind.FINDING, body, data_class="signs", macs=("02:00:00:00:00:01",))
        took = time.perf_counter() - began
        proving = time.perf_counter()
        for m in range(1, 101):
            merkle.consistency_of(store.ledger.log.subtree, count * m // 101 + 1, count)
        proved = (time.perf_counter() - proving) / 100
        store.close()
        size = path.stat().st_size
    return {
        "records": count,
        "records a second (salted, sealed, committed fifty at a time)": round(count / took),
        "octets a record in the file beside its body": round(size / count) - len(body),
        "consistency proof from the store, milliseconds": round(proved * 1000, 2),
    }


def _leaves(count: int) -> dict[str, object]:
    hashes = [hashlib.sha256(number.to_bytes(8, "big")).digest() for number in range(count)]
    began = time.perf_counter()
    frontier = merkle.Frontier()
    for item in hashes:
        frontier.append(item)
    tree = time.perf_counter() - began
    node = b"\1" + bytes(64)
    began = time.perf_counter()
    for _ in range(count - 1):
        hashlib.sha256(node).digest()
    alone = time.perf_counter() - began
    return {
        "leaves": count,
        "tree, seconds": round(tree, 2),
        "SHA-256 alone over as many inner nodes, seconds": round(alone, 2),
        "ratio": round(tree / alone, 2),
    }
