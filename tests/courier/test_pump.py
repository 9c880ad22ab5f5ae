"""The pump as scripts: event in, actions out."""

from __future__ import annotations

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from appliance.courier.pump import MAX_HELD, MAX_INBOUND, MAX_TOPIC, Acknowledge, Action, Publish, Pump, Tell
from appliance.messages import MAX_DATAGRAM, BrokerState, Credit, Inbound, InboundDone, Notice, Outbound, encode
from wire.codec import MAX_ENVELOPE

WILL = Outbound(topic="will", body=b"gone")


def message(number: int) -> Outbound:
    return Outbound(topic=f"t/{number}", body=b"sealed")


def tell(*messages: BrokerState | Credit | Inbound) -> list[Action]:
    return [Tell(message=item) for item in messages]


@pytest.fixture
def pump() -> Pump:
    """Joined to the keeper, will in hand, broker there, ten credits given."""
    made = Pump(window=10)
    made.keeper_came()
    made.from_keeper(WILL)
    made.broker_came(room=100)
    return made


def test_the_first_message_is_the_will_and_is_not_published() -> None:
    pump = Pump(window=10)
    assert pump.keeper_came() == tell(BrokerState(connected=False))
    assert pump.from_keeper(WILL) == []
    assert pump.will == WILL
    assert pump.broker_came(room=100) == tell(BrokerState(connected=True), Credit(count=10))
    assert pump.from_keeper(message(1)) == [Publish(key=1, topic="t/1", body=b"sealed")]


def test_credit_follows_acknowledgements_in_steps(pump: Pump) -> None:
    keys = [action.key for n in range(10) for action in pump.from_keeper(message(n)) if isinstance(action, Publish)]
    assert pump.held == 10
    granted = [action.message for key in keys for action in pump.published(key) if isinstance(action, Tell)]
    assert sum(item.count for item in granted if isinstance(item, Credit)) >= 8
    assert len(granted) < 10
    assert pump.held == 0


def test_the_brokers_own_bound_is_kept() -> None:
    pump = Pump(window=10)
    pump.keeper_came()
    pump.from_keeper(WILL)
    assert pump.broker_came(room=2)[-1] == Tell(message=Credit(count=2))
    assert len(pump.from_keeper(message(1)) + pump.from_keeper(message(2))) == 2
    assert pump.from_keeper(message(3)) == []
    assert pump.published(1)[0] == Publish(key=3, topic="t/3", body=b"sealed")


def test_what_was_not_answered_goes_again_first_and_in_order(pump: Pump) -> None:
    pump.from_keeper(message(1))
    pump.from_keeper(message(2))
    assert pump.broker_went("cut") == tell(BrokerState(connected=False, detail="cut"))
    assert pump.broker_went("cut") == []
    assert pump.from_keeper(message(3)) == []
    actions = pump.broker_came(room=100)
    assert [action.topic for action in actions if isinstance(action, Publish)] == ["t/1", "t/2", "t/3"]
    assert pump.published(1) == [], "an answer to a publication of the old connection"


def test_an_outage_costs_no_credit_and_gives_none(pump: Pump) -> None:
    pump.from_keeper(message(1))
    for _ in range(5):
        pump.broker_went("cut")
        credits_ = [item for item in pump.broker_came(room=100) if isinstance(item, Tell)]
        assert credits_ == tell(BrokerState(connected=True))


def test_a_new_keeper_starts_over_and_hears_what_waits(pump: Pump) -> None:
    delivered = pump.delivered(7, "cmd", b"sealed")
    assert delivered == tell(Inbound(token=1, topic="cmd", body=b"sealed"))
    pump.keeper_went()
    assert pump.delivered(8, "cmd", b"second") == []
    came = pump.keeper_came()
    assert came[:3] == tell(
        BrokerState(connected=True),
        Inbound(token=1, topic="cmd", body=b"sealed"),
        Inbound(token=2, topic="cmd", body=b"second"),
    )
    assert came[3:] == tell(Credit(count=10))
    assert pump.from_keeper(Outbound(topic="will", body=b"new")) == []
    assert pump.will == Outbound(topic="will", body=b"new")
    assert pump.from_keeper(InboundDone(token=2)) == [Acknowledge(packet=8)]
    assert pump.from_keeper(InboundDone(token=2)) == []


def test_an_answer_to_a_delivery_of_a_lost_connection_acknowledges_nothing(pump: Pump) -> None:
    pump.delivered(7, "cmd", b"sealed")
    pump.broker_went("cut")
    assert pump.delivered(9, "cmd", b"read just before the cut") == []
    pump.broker_came(room=100)
    assert pump.from_keeper(InboundDone(token=1)) == []


def test_a_refused_publication_is_counted_and_frees_its_place(pump: Pump) -> None:
    pump.from_keeper(message(1))
    pump.published(1, refusal="Not authorized")
    assert (pump.rejected, pump.held) == (1, 0)


def test_what_goes_over_a_bound_is_counted(pump: Pump) -> None:
    pump.broker_went("cut")
    for number in range(MAX_HELD + 3):
        assert pump.from_keeper(message(number)) == []
    assert (pump.held, pump.dropped) == (MAX_HELD, 3)
    pump.broker_came(room=100)
    for packet in range(MAX_INBOUND + 2):
        pump.delivered(packet, "cmd", b"")
    assert pump.refused == 2


def test_what_no_keeper_could_take_does_not_come_back_for_ever(pump: Pump) -> None:
    assert pump.delivered(7, "cmd", bytes(MAX_ENVELOPE + 1)) == [Acknowledge(packet=7)]
    assert pump.delivered(8, "\0" * (MAX_TOPIC + 1), b"") == [Acknowledge(packet=8)]
    assert pump.refused == 2
    for action in pump.delivered(9, "\0" * MAX_TOPIC, bytes(MAX_ENVELOPE)):
        assert isinstance(action, Tell)
        assert len(encode([action.message])) <= MAX_DATAGRAM


def test_messages_for_others_are_ignored(pump: Pump) -> None:
    assert pump.from_keeper(Notice(recording=False, kind=None, kept=(), until=None)) == []


class Outages(RuleBasedStateMachine):
    """Whatever comes and goes: a message is published until answered, and no bound is passed."""

    def __init__(self) -> None:
        super().__init__()
        self.pump = Pump(window=5)
        self.online = False
        self.linked = False
        self.credit = 0
        self.number = 0
        self.open: dict[int, str] = {}
        self.unanswered: set[str] = set()

    def carry(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Publish(key=key, topic=topic):
                    assert self.online
                    self.open[key] = topic
                case Tell(message=Credit(count=count)):
                    self.credit += count
                case _:
                    pass

    @precondition(lambda self: not self.linked)
    @rule()
    def keeper_comes(self) -> None:
        self.linked, self.credit = True, 0
        self.unanswered = set(self.open.values())  # the rest is in the keeper's outbox again
        self.carry(self.pump.keeper_came())
        self.carry(self.pump.from_keeper(WILL))

    @precondition(lambda self: self.linked)
    @rule()
    def keeper_goes(self) -> None:
        self.linked = False
        self.pump.keeper_went()

    @precondition(lambda self: not self.online)
    @rule(room=st.integers(min_value=1, max_value=8))
    def broker_comes(self, room: int) -> None:
        self.online = True
        self.carry(self.pump.broker_came(room=room))

    @precondition(lambda self: self.online)
    @rule()
    def broker_goes(self) -> None:
        self.online = False
        self.open.clear()
        self.carry(self.pump.broker_went("cut"))

    @precondition(lambda self: self.linked and self.credit)
    @rule()
    def keeper_sends(self) -> None:
        self.credit -= 1
        self.number += 1
        self.unanswered.add(f"t/{self.number}")
        self.carry(self.pump.from_keeper(message(self.number)))

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def broker_answers(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.open)))
        self.unanswered.discard(self.open.pop(key))
        self.carry(self.pump.published(key))

    @invariant()
    def bounds_hold(self) -> None:
        assert self.pump.held <= 2 * 5
        assert self.pump.dropped == 0
        assert len(self.open) <= 5

    def teardown(self) -> None:
        if not self.linked:
            return
        if not self.online:
            self.broker_comes(room=8)
        for _ in range(100):
            for key in list(self.open):
                self.unanswered.discard(self.open.pop(key))
                self.carry(self.pump.published(key))
        assert self.unanswered == set()
        assert self.pump.held == 0


TestOutages = Outages.TestCase
TestOutages.settings = hypothesis_settings(max_examples=150, stateful_step_count=30, deadline=None)
