"""No name of a device that is not registered is in the file of the database, whatever became of the device."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.keeper.devices.fingerprint import shipped
from appliance.keeper.store.database import Store
from appliance.traits import Sort, Trait, sort
from wire.authority import CollectClause, DataClass
from wire.base import Standing
from wire.models import Proposal
from wire.orders import AnswerProposal, SplitDevice

OWN, NEW = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
CANARY = "quillfeather"
DUID = (Trait.DHCP6_DUID, "0004c0ffee00c0ffee00c0ffee00c0ffee01")
NAMED = [trait for trait in Trait if sort(trait) is not Sort.HABIT and trait is not Trait.WIFI_KEY]
SHAPES = (
    "{}",
    "{}s-iPhone",
    "iPhone von {}",
    "Galaxy-S24-von-{}",
    "SM-G991B-{}",
    "DESKTOP-{}",
    "Archer-{}",
    "{}'s MacBook Pro",
    "PS5-{}",
    "Pixel-8-{}",
    "redmi-note-12-{}",
    "homekit:{}",
    "DCS-930{}",
    "{}.example",
)


def in_files(bench: Any) -> bool:
    """Whether the canary is in the database or in what lies beside it, its log included."""
    kept = b"".join(file.read_bytes() for file in bench.path.parent.iterdir())
    return CANARY.encode() in kept.lower() or CANARY.encode().hex().encode() in kept.lower()


def in_ledger(bench: Any) -> bool:
    """Whether the canary is in a record's body, which the files hold only sealed."""
    ledger = bench.store.ledger
    bodies = [ledger.body(ledger.log.row(n)) for n in range(ledger.size)]
    assert any(bodies), "they can be read"
    return any(body is not None and CANARY.encode() in body[1].lower() for body in bodies)


def speaks(bench: Any, mac: str) -> list[Any]:
    sent = []
    for trait in NAMED:
        for shape in SHAPES:
            sent += bench.payloads(bench.trait(mac, trait, shape.format(CANARY)))
    sent += bench.payloads(bench.trait(mac, *DUID))
    for _ in range(8):
        sent += bench.payloads(bench.wait(1))
    bench.acknowledge()
    return sent


@pytest.mark.req("R55", "R56", "R61")
@pytest.mark.parametrize("standing", [item for item in Standing if item is not Standing.REGISTERED])
def test_of_no_other_standing(bench: Any, standing: Standing) -> None:
    bench.give(OWN, standing)
    speaks(bench, OWN)
    assert bench.rows("evidence") > 0
    bench.wait(3700)  # the hour's records close
    bench.store._db.execute("pragma wal_checkpoint(truncate)").fetchall()
    assert not in_files(bench)
    assert not in_ledger(bench)


@pytest.mark.req("R55", "R65", "N8")
def test_not_of_one_that_was_joined_and_taken_out_again(bench: Any) -> None:
    bench.give(OWN, Standing.REGISTERED)
    bench.trait(OWN, *DUID)
    bench.station(OWN, joined=False)
    bench.wait(600)
    (proposal,) = {item.proposal_id for item in speaks(bench, NEW) if isinstance(item, Proposal)}
    assert not in_files(bench), "not yet one on the register"
    bench.order(AnswerProposal(proposal_id=proposal, confirm=True))
    assert bench.device(NEW).standing is Standing.REGISTERED
    assert not in_files(bench), "what was heard before stays a hash"
    speaks(bench, NEW)
    assert in_files(bench), "of a registered device names may be kept"
    bench.order(SplitDevice(device_id=bench.device(OWN).device_id, macs=(NEW,)))
    assert bench.device(NEW).standing is Standing.UNKNOWN
    assert not in_files(bench), "and it is gone, from the log too"


@pytest.mark.req("R55", "R65")
def test_not_of_one_that_is_registered_no_more(bench: Any) -> None:
    device_id = bench.give(OWN, Standing.REGISTERED)
    speaks(bench, OWN)
    assert in_files(bench)
    bench.down(bench.command(device_id, Standing.HOUSEHOLD))
    assert not in_files(bench)


@pytest.mark.req("R56")
def test_what_rules_capture_of_names_is_no_name() -> None:
    """A rule may keep a model that it read from a name; nothing that a person put there."""
    for trait in NAMED:
        for shape in SHAPES:
            for text in (shape.format(CANARY), shape.format(CANARY.title()), shape.format(CANARY.upper())):
                for hit in shipped().hits(trait, text):
                    assert CANARY not in hit.text.lower(), (trait, text, hit)


@pytest.mark.req("R56", "R61")
@pytest.mark.parametrize("kept", [(), (DataClass.PRESENCE,), (DataClass.FINGERPRINT,)])
def test_without_leave_nothing_of_it(make_bench: Any, signed: Any, kept: tuple[DataClass, ...]) -> None:
    """No class, no row: without presence nothing at all, without fingerprints no evidence and no comparing."""
    others = [CollectClause(number="1", standings=(Standing.REFUSED,), classes=(DataClass.PRESENCE,))]
    own = [CollectClause(number="2", standings=(Standing.UNKNOWN,), classes=kept)] if kept else []
    bench = make_bench(signed(clauses=[*others, *own]))
    bench.online()
    for mac in (OWN, NEW):
        bench.station(mac, "key-7")
        speaks(bench, mac)
        bench.station(mac, joined=False)
        bench.wait(60)
    rows = {table: bench.rows(table) for table in ("device", "evidence", "hit", "proposal", "session", "finding")}
    here = DataClass.PRESENCE in kept
    assert rows == {"device": 2 * here, "evidence": 0, "hit": 0, "proposal": 0, "session": 2 * here, "finding": 0}
    assert bench.core._book.proposals.compared == 0
    assert not any(address.key_id for device in bench.core._book.registry for address in device.addresses)


@pytest.mark.req("R56", "R61", "S6")
def test_when_the_authority_ends_nothing_more_is_kept(bench: Any) -> None:
    bench.station(OWN, "key-7")
    speaks(bench, OWN)
    bench.wait(86400)
    tables = ("device", "evidence", "hit", "proposal", "session", "finding", "link", "binding", "confirmed")
    before = {table: list(bench.store._db.table(table).rows) for table in tables}
    for mac in (OWN, NEW):
        bench.station(mac, "key-8")
        speaks(bench, mac)
        bench.station(mac, joined=False)
        bench.wait(3600)
    after = {table: list(bench.store._db.table(table).rows) for table in tables}
    assert after == before


@pytest.mark.req("R65", "N4")
def test_a_power_cut_after_erasing_leaves_no_name_either(
    bench: Any, signed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    device_id = bench.give(OWN, Standing.REGISTERED)
    speaks(bench, OWN)
    with monkeypatch.context() as cut:
        cut.setattr(Store, "_clean", lambda _self: None)  # the power goes before the file is written anew
        bench.down(bench.command(device_id, Standing.HOUSEHOLD))
        bench.stop()
    bench.start(signed())
    assert bench.device(OWN).standing is Standing.HOUSEHOLD
    assert not in_files(bench)


def test_forgetting_those_without_names_writes_no_file_anew(bench: Any) -> None:
    """Invented addresses that make room for others must not cost a whole file each."""
    bench.trait(OWN, Trait.DHCP4_HOST_NAME, CANARY)
    with bench.store.transaction():
        bench.store.devices.remove_address(OWN)
        assert not bench.store._erasing
    device_id = bench.give(NEW, Standing.REGISTERED)
    bench.trait(NEW, Trait.DHCP4_HOST_NAME, CANARY)
    with bench.store.transaction():
        bench.store.devices.remove_address(NEW)
        assert bench.store._erasing
    assert device_id
    assert not in_files(bench)
