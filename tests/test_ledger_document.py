"""The check by hand in docs/ledger.md, with other programs, on a record of a real store."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from appliance.keeper.ledger.heads import Heads
from appliance.keeper.store.database import Store
from wire.ledger import HEAD_CONTEXT, Head, RecordKind, head_bytes, leaf_bytes

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.req("R68")
@pytest.mark.req("N3")
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_check_by_hand_is_what_the_box_does(tmp_path: Path) -> None:
    (script,) = re.findall(r"```bash\n(.*?)```", (ROOT / "docs" / "ledger.md").read_text(), re.DOTALL)
    store, box = Store(tmp_path / "keeper.db"), Ed25519PrivateKey.generate()
    heads = Heads(store, tenant="force-a", site="box-1", signer=box, server_verify=())
    with store.transaction():
        store.ledger.note(RecordKind.DECISION, {"action": "set-hold", "reason": "étude"})
        heads.tick(0.0)
    row = store.ledger.log.row(0)
    assert row is not None
    found = store.ledger.body(row)
    assert found is not None
    (waiting,) = store.outbox.waiting(without=(), most=1)
    head = Head.model_validate_json(waiting.body)
    place = tmp_path / "record"
    place.mkdir()
    files = {
        "leaf": leaf_bytes(row.leaf(store.epoch)),
        "salt": found[0],
        "body": found[1],
        "head.json": head_bytes(head).removeprefix(HEAD_CONTEXT),
        "signature": base64.b64decode(head.signature),
        "box.pem": box.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    }
    store.close()
    for name, octets in files.items():
        (place / name).write_bytes(octets)
    assert _runs(script, place)
    for name in ("leaf", "body", "salt", "head.json", "signature"):
        altered = bytearray(files[name])
        altered[len(altered) // 2] ^= 1
        (place / name).write_bytes(altered)
        assert not _runs(script, place), name
        (place / name).write_bytes(files[name])


def _runs(script: str, place: Path) -> bool:
    return subprocess.run(["bash", "-c", script], cwd=place, capture_output=True, check=False).returncode == 0
