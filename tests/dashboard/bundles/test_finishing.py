from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from dashboard.bundles.finishing import PAUSE, Finisher
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade


def finisher(path: Path, *, ready: bool) -> Finisher:
    engine = open_engine(f"sqlite:///{path}")
    if ready:
        upgrade(engine)
    keys = {"signing_key": Ed25519PrivateKey.generate(), "sealing_key": X25519PrivateKey.generate()}
    return Finisher(engine, tenant="force-a", **keys)


def test_it_waits_where_there_is_nothing_and_where_the_database_is_away(tmp_path: Path) -> None:
    for name, ready in (("there.db", True), ("away.db", False)):
        waits: list[float] = []
        made = finisher(tmp_path / name, ready=ready)
        made.run(lambda waits=waits: len(waits) == 2, waits.append, lambda: 1.0)
        assert waits == [PAUSE, PAUSE]
        made._engine.dispose()
