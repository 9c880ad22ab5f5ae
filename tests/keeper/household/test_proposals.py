from __future__ import annotations

from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper.core import Peer
from appliance.keeper.household import crowd as crowds
from appliance.keeper.household import proposals as module
from appliance.traits import Trait
from wire.base import Standing
from wire.findings import Finding
from wire.models import CommandResult, Device, JoinedBy, Outcome, Proposal
from wire.orders import AnswerProposal, SplitDevice

OLD, NEW, THIRD = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"
HABITS = {
    Trait.DHCP4_VENDOR_CLASS: "android-dhcp-14",
    Trait.DHCP4_PARAMETERS: "1,3,6,15,26,28,51,58,59,43,114,108",
}
NAME = {Trait.DHCP4_HOST_NAME: "sunflower-meadow"}
DUID = {Trait.DHCP6_DUID: "0004c0ffee00c0ffee00c0ffee00c0ffee01"}
CAST = {Trait.MDNS_ID: "cast:9f3b27c4d1e85a60b7c2f4d8139ae05c"}


def of(kind: type, items: list[Any]) -> list[Any]:
    return [item for item in items if isinstance(item, kind)]


def outcome(bench: Any, body: Any) -> CommandResult:
    (result,) = of(CommandResult, bench.payloads(bench.order(body)))
    return result


def speaks(bench: Any, mac: str, *traits: dict[Trait, str]) -> None:
    bench.sight(mac)
    for values in traits:
        for trait, value in values.items():
            bench.trait(mac, trait, value)


def leaves(bench: Any, mac: str, seconds: float = 300.0) -> None:
    """It leaves the Wi-Fi, and time passes."""
    bench.station(mac, joined=False)
    bench.wait(seconds)


def settle(bench: Any) -> list[Any]:
    """Time for comparing, with everything that is told meanwhile."""
    sent = [payload for _ in range(8) for payload in bench.payloads(bench.wait(1))]
    bench.acknowledge()
    return sent


def history(bench: Any, mac: str) -> list[Any]:
    """What hangs on an address."""
    db = bench.store._db
    return [
        sorted(db.execute("select * from evidence where mac = ?", (mac,)).fetchall()),
        sorted(db.execute("select * from hit where mac = ?", (mac,)).fetchall()),
        sorted(db.execute("select mac, started, ended from session where mac = ?", (mac,)).fetchall()),
    ]


def proposals(bench: Any) -> list[Proposal]:
    rows = bench.store._db.execute("select payload from proposal order by rowid").fetchall()
    return [Proposal.model_validate_json(payload) for (payload,) in rows]


@pytest.fixture
def phone(bench: Any) -> str:
    """A registered phone that shows an identifier, away by now."""
    speaks(bench, OLD, HABITS, NAME, DUID)
    device_id = str(bench.device(OLD).device_id)
    bench.down(bench.command(device_id, Standing.REGISTERED, label="Phone"))
    settle(bench)
    leaves(bench, OLD)
    return device_id


@pytest.mark.req("R17", "N8")
def test_the_same_identifier_under_a_new_address_is_proposed_and_never_joined(bench: Any, phone: str) -> None:
    speaks(bench, NEW, HABITS, NAME, DUID)
    assert bench.open_kinds(NEW) == ["unregistered-device"]
    sent = settle(bench)
    proposal = of(Proposal, sent)[-1]
    newcomer = bench.device(NEW)
    assert (proposal.device_id, proposal.other_id, proposal.state) == (phone, newcomer.device_id, "open")
    assert proposal.probability >= 0.9
    assert proposal.reasons
    assert newcomer.device_id != phone, "a proposal joins nothing"
    finding = [item for item in of(Finding, sent) if item.kind.value == "same-device"][-1]
    assert (
        finding.reasons[0] == f"Probably the registered device “Phone” with a new address ({proposal.probability:.0%})."
    )
    assert bench.open_kinds(NEW) == ["same-device"], "instead of one that it is not registered"


@pytest.mark.req("N8", "R17")
def test_confirmed_it_is_one_device_and_split_again_it_is_two(bench: Any, phone: str) -> None:
    speaks(bench, NEW, HABITS, NAME, DUID)
    settle(bench)
    other = bench.device(NEW).device_id
    before = history(bench, NEW)
    (proposal,) = proposals(bench)
    result = outcome(bench, AnswerProposal(proposal_id=proposal.proposal_id, confirm=True))
    assert result.outcome is Outcome.APPLIED
    one = bench.device(NEW)
    assert (one.device_id, one.standing) == (phone, Standing.REGISTERED)
    assert one.address(NEW).joined_by is JoinedBy.PERSON
    assert bench.core._book.registry.by_id(other).merged_into == phone
    assert NEW in bench.core._collection.mask
    assert bench.store.findings.open_count() == 0
    assert outcome(bench, AnswerProposal(proposal_id=proposal.proposal_id, confirm=True)).outcome is Outcome.REFUSED

    bench.look_up(NEW, "kept.example", generation=bench.generation)
    assert bench.names(phone) == {"kept.example": 1}
    assert outcome(bench, SplitDevice(device_id=phone, macs=(NEW,))).outcome is Outcome.APPLIED
    again = bench.device(NEW)
    assert (again.device_id, again.standing, again.merged_into) == (other, Standing.UNKNOWN, None)
    assert bench.device(OLD).device_id == phone
    assert bench.device(OLD).macs == (OLD,)
    assert history(bench, NEW) == before, "both histories as they were"
    assert NEW not in bench.core._collection.mask
    assert bench.names(other) == {}, "what an unknown device asked for is not kept"
    bench.trait(NEW, Trait.MDNS_HOST, "more")
    settle(bench)
    assert [item.state for item in proposals(bench)] == ["refused"], "what was taken apart is not proposed again"


@pytest.mark.req("R55", "N8")
def test_names_are_readable_only_from_the_joining_on(bench: Any, phone: str) -> None:
    speaks(bench, NEW, HABITS, NAME, DUID)
    settle(bench)
    (proposal,) = proposals(bench)

    def readable() -> list[str | None]:
        return [piece.value for piece in bench.store.evidence.of([NEW]) if piece.trait is Trait.DHCP4_HOST_NAME]

    outcome(bench, AnswerProposal(proposal_id=proposal.proposal_id, confirm=True))
    assert bench.device(NEW).device_id == phone
    assert readable() == [None]
    bench.trait(NEW, Trait.DHCP4_HOST_NAME, "sunflower-meadow")
    assert readable() == ["sunflower-meadow"]


@pytest.mark.req("N8")
def test_after_that_the_identifier_joins_by_itself(bench: Any, phone: str) -> None:
    speaks(bench, NEW, HABITS, NAME, DUID)
    settle(bench)
    (proposal,) = proposals(bench)
    outcome(bench, AnswerProposal(proposal_id=proposal.proposal_id, confirm=True))
    leaves(bench, NEW)
    assert bench.payloads(bench.sight(THIRD)) == [], "it may be known: it waits"
    sent = bench.payloads(bench.trait(THIRD, *next(iter(DUID.items()))))
    assert bench.device(THIRD).device_id == phone
    assert bench.device(THIRD).address(THIRD).joined_by is JoinedBy.IDENTIFIER
    assert of(Finding, sent + settle(bench)) == []
    assert {item.device_id for item in of(Device, sent)} == {phone}


@pytest.mark.req("N8", "R47")
def test_an_identifier_that_is_here_already_joins_nothing(bench: Any, phone: str) -> None:
    speaks(bench, NEW, HABITS, NAME, DUID)
    settle(bench)
    (proposal,) = proposals(bench)
    outcome(bench, AnswerProposal(proposal_id=proposal.proposal_id, confirm=True))
    bench.sight(NEW)
    speaks(bench, THIRD, DUID)
    assert bench.device(THIRD).device_id != phone


@pytest.mark.req("N8")
def test_refused_it_is_not_proposed_again_unless_it_shows_more(bench: Any, phone: str) -> None:
    speaks(bench, NEW, HABITS, NAME, DUID)
    settle(bench)
    (proposal,) = proposals(bench)
    outcome(bench, AnswerProposal(proposal_id=proposal.proposal_id, confirm=False))
    assert bench.open_kinds(NEW) == ["unregistered-device"]
    bench.trait(NEW, Trait.SSDP_AGENT, "made-up/1.0")
    settle(bench)
    assert [item.state for item in proposals(bench)] == ["refused"]
    assert phone != bench.device(NEW).device_id
    leaves(bench, NEW)
    bench.trait(OLD, *next(iter(CAST.items())))
    leaves(bench, OLD)
    bench.trait(NEW, *next(iter(CAST.items())))
    settle(bench)
    assert [item.state for item in proposals(bench)] == ["open"]


@pytest.mark.req("N8", "R47")
def test_both_there_at_once_withdraws_it(bench: Any, phone: str) -> None:
    speaks(bench, NEW, HABITS, NAME, DUID)
    settle(bench)
    assert [item.state for item in proposals(bench)] == ["open"]
    for _ in range(10):
        bench.wait(60)
        bench.sight(OLD)
        bench.sight(NEW)
    settle(bench)
    (proposal,) = proposals(bench)
    assert proposal.state == "withdrawn"
    assert "at the same time" in proposal.against[0]
    assert bench.open_kinds(NEW) == ["unregistered-device"]
    assert phone


@pytest.mark.req("R47", "N8")
def test_two_devices_of_one_name_and_one_model_stay_two(bench: Any) -> None:
    speaks(bench, OLD, HABITS, NAME)
    bench.down(bench.command(bench.device(OLD).device_id, Standing.REGISTERED, label="Phone"))
    settle(bench)
    leaves(bench, OLD)
    speaks(bench, NEW, HABITS, NAME)
    settle(bench)
    assert proposals(bench) == []
    assert bench.device(NEW).device_id != bench.device(OLD).device_id
    assert bench.open_kinds(NEW) == ["unregistered-device"]


@pytest.mark.req("R17", "R29")
def test_the_finding_says_which_known_device_it_is_likely_not(bench: Any) -> None:
    speaks(bench, OLD, HABITS, NAME)
    bench.down(bench.command(bench.device(OLD).device_id, Standing.REGISTERED, label="Phone"))
    settle(bench)
    leaves(bench, OLD)
    bench.sight(NEW)
    settle(bench)
    sent = bench.payloads(bench.wait(60))
    finding = next(item for item in of(Finding, sent) if item.device_id == bench.device(NEW).device_id)
    words = [item for item in finding.alternatives if item.startswith("Likely not “Phone”, which was last seen on ")]
    assert len(words) == 1
    assert words[0].endswith("%).")
    assert (finding.revision, finding.count) == (2, 1)


@pytest.mark.req("R47")
def test_two_that_an_officer_put_on_the_register_are_two(bench: Any, phone: str) -> None:
    speaks(bench, NEW, HABITS, NAME, DUID)
    bench.down(bench.command(bench.device(NEW).device_id, Standing.HOUSEHOLD))
    settle(bench)
    assert proposals(bench) == []
    assert phone


@pytest.mark.req("N8", "R13")
def test_proposals_and_confirmed_identifiers_survive_a_restart(bench: Any, signed: Any, phone: str) -> None:
    speaks(bench, NEW, HABITS, NAME, DUID)
    settle(bench)
    (proposal,) = proposals(bench)
    bench.stop()
    bench.start(signed())
    bench.online()
    outcome(bench, AnswerProposal(proposal_id=proposal.proposal_id, confirm=True))
    leaves(bench, NEW)
    bench.stop()
    bench.start(signed())
    bench.online()
    speaks(bench, THIRD, DUID)
    assert bench.device(THIRD).device_id == phone


def test_answers_to_what_is_not_there(bench: Any) -> None:
    refused = outcome(bench, AnswerProposal(proposal_id="p-nobody", confirm=True))
    assert (refused.outcome, refused.detail) == (Outcome.REFUSED, "The box does not know this proposal.")


@pytest.mark.req("R11", "N8")
def test_a_flood_of_addresses_costs_a_bounded_number_of_comparisons(
    make_bench: Any, signed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4096 devices, each new one speaking like all others: what a turn compares does not grow with them."""
    monkeypatch.setattr(crowds, "ALLOWANCE", 100_000)  # all in one afternoon, instead of over days
    bench = make_bench(signed())
    bench.online(credit=0)
    book = bench.core._book
    macs = [f"02:00:00:01:{number >> 8:02x}:{number & 255:02x}" for number in range(4096)]
    most = 0
    for start in range(0, 4096, 64):
        before = book.proposals.compared
        part = macs[start : start + 64]
        bench.hear(Peer.SENSOR, *(m.Sighting(ts=bench.wall, mac=mac, via=m.Via.ARP) for mac in part))
        speaking = [
            m.TraitSeen(ts=bench.wall, mac=mac, trait=Trait.DHCP4_VENDOR_CLASS, value="android-dhcp-14") for mac in part
        ]
        bench.hear(Peer.SENSOR, *speaking)
        bench.wait(30)  # the earlier ones fall silent, and may be what a later one was
        most = max(most, book.proposals.compared - before)
    assert len(book.registry) == 4096
    assert len(book.proposals._grown) <= 4096
    assert 0 < most <= module.A_TURN * module.CANDIDATES
    before = book.proposals.compared
    bench.wait(1)
    assert book.proposals.compared - before <= module.A_TURN * module.CANDIDATES


@pytest.mark.req("N8")
def test_an_open_proposal_costs_nothing_while_nothing_is_heard_of_the_two(bench: Any, phone: str) -> None:
    speaks(bench, NEW, HABITS, NAME, DUID)
    settle(bench)
    assert [item.state for item in proposals(bench)] == ["open"]
    for _ in range(int(module.NEW_SECONDS // 10) + 30):
        bench.wait(10)
    before = bench.core._book.proposals.compared
    for _ in range(360):
        bench.wait(10)
        bench.sight(NEW)
    assert bench.core._book.proposals.compared == before
    assert phone


@pytest.mark.req("N8", "R17")
def test_one_that_seemed_to_be_there_still_is_compared_when_it_is_gone(bench: Any) -> None:
    """Without word of the access point a device counts as there for a while after it fell silent."""
    speaks(bench, OLD, HABITS, NAME, DUID)
    bench.down(bench.command(bench.device(OLD).device_id, Standing.REGISTERED, label="Phone"))
    bench.wait(5)
    speaks(bench, NEW, HABITS)
    settle(bench)
    assert bench.core._book.proposals.compared == 0
    for _ in range(40):
        bench.wait(10)
        bench.sight(NEW)
    assert bench.core._book.proposals.compared > 0
