from __future__ import annotations

import json
from typing import Any

import pytest

from appliance.keeper.ledger.telling import setting
from wire.authority import parse_signed, verify
from wire.box import ListHealth
from wire.keys import public_text


@pytest.mark.req("R52")
def test_documents_are_told_as_they_were_signed(bench: Any) -> None:
    bench.store.bundles.keep_authority("of-a-later-version", 9, '{"document": {"version": 99}}')
    told = setting(
        bench.store,
        bench.core._uplink.identity,
        issuers=[bench.issuer.public_key()],
        lists=[ListHealth(list_id="gambling", title="Gambling", version="7")],
    )
    assert len(told.authorities) == 1
    assert verify(parse_signed(told.authorities[0].encode()), [bench.issuer.public_key()]).site == told.site
    assert json.loads(told.authorities[0])["document"]["tenant"] == told.tenant
    assert told.issuers == (public_text(bench.issuer),)
    assert [item["list_id"] for item in told.lists] == ["gambling"]
    assert told.software
