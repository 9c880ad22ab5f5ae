from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, update

from dashboard import commands
from dashboard.auth import Role, SignedIn, add_account
from dashboard.commands import AlreadySent, Decision
from dashboard.store import schema
from wire.base import Correction, Standing
from wire.orders import (
    AnswerProposal,
    BindPassphrase,
    CorrectDevice,
    Order,
    RunProbe,
    SetStanding,
    SplitDevice,
)

ORDERS: tuple[tuple[Order, str | None, str | None, str], ...] = (
    (SetStanding(device_id="dev-1", standing=Standing.WORK), "dev-1", None, "register-device"),
    (CorrectDevice(device_id="dev-1", correction=Correction(category="tv")), "dev-1", None, "correct-device"),
    (AnswerProposal(proposal_id="prop-1", confirm=False), "dev-1", "prop-1", "answer-proposal"),
    (SplitDevice(device_id="dev-1", macs=("02:00:5e:00:53:01",)), "dev-1", None, "split-device"),
    (BindPassphrase(key_id="k-1", purpose="household"), "dev-1", None, "bind-passphrase"),
    (RunProbe(), None, None, "run-probe"),
)


@pytest.fixture
def ask(engine: Engine, clock: Any, seed: Any) -> Callable[..., str]:
    seed.site()
    seed.device()
    people: dict[str, SignedIn] = {}

    def do(order: Order, *, by: str = "a", token: str | None = None, **about: str | None) -> str:
        if by not in people:
            account_id = add_account(engine, name=by, role=Role.OFFICER, now=0.0)
            people[by] = SignedIn(account_id=account_id, name=by, role=Role.OFFICER, token_hash="", expires_at=0.0)
        decision = Decision(
            token=token or commands.new_token(),
            order=lambda _: order,
            reason="Seen",
            device_id=about.get("device_id"),
            proposal_id=about.get("proposal_id"),
        )
        return commands.ask(
            engine, decision, by=people[by], tenant="northmoor", site="site-1", now=clock.at, lifetime=60.0
        )

    return do


@pytest.mark.parametrize("case", ORDERS, ids=lambda case: case[3])
def test_every_order_becomes_a_waiting_command_and_a_line_in_the_audit(
    ask: Callable[..., str], seed: Any, case: tuple[Order, str | None, str | None, str]
) -> None:
    order, device_id, proposal_id, act = case
    command_id = ask(order, device_id=device_id, proposal_id=proposal_id)
    (row,) = seed.rows(schema.command)
    assert (row["command_id"], row["state"]) == (command_id, "waiting")
    assert (row["device_id"], row["proposal_id"]) == (device_id, proposal_id)
    assert type(order).model_validate(row["body"]) == order
    (line,) = (item for item in seed.rows(schema.audit) if item["outcome"] == "asked")
    about = proposal_id or device_id
    assert (line["action"], line["subject"]) == (act, "site-1" if about is None else f"site-1/{about}")


def test_a_token_of_someone_else_is_not_taken(ask: Callable[..., str], seed: Any) -> None:
    order = SetStanding(device_id="dev-1", standing=Standing.WORK)
    token = commands.new_token()
    ask(order, by="a", token=token, device_id="dev-1")
    with pytest.raises(AlreadySent):
        ask(order, by="b", token=token, device_id="dev-1")
    assert len(seed.rows(schema.command)) == 1
    acts = [row["action"] for row in seed.rows(schema.audit)]
    assert acts.count("register-device") == 1, "the refused one left no line: it was one transaction"


def test_a_token_of_another_order_is_not_taken(ask: Callable[..., str], seed: Any) -> None:
    token = commands.new_token()
    ask(RunProbe(), token=token)
    with pytest.raises(AlreadySent):
        ask(RunProbe(kind="dhcp"), token=token)
    assert ask(RunProbe(), token=token) == token
    assert len(seed.rows(schema.command)) == 1


def test_the_same_is_not_asked_twice_while_the_box_has_not_answered(
    ask: Callable[..., str], engine: Engine, seed: Any, clock: Any
) -> None:
    order = SetStanding(device_id="dev-1", standing=Standing.WORK)
    first = ask(order, device_id="dev-1")
    with pytest.raises(AlreadySent) as refused:
        ask(order, by="b", device_id="dev-1")
    assert refused.value.waiting
    ask(SetStanding(device_id="dev-1", standing=Standing.HOUSEHOLD), device_id="dev-1")
    ask(RunProbe())
    with pytest.raises(AlreadySent):
        ask(RunProbe(), by="b")
    assert len(seed.rows(schema.command)) == 3
    assert sum(row["outcome"] == "asked" for row in seed.rows(schema.audit)) == 3
    with engine.begin() as connection:
        connection.execute(
            update(schema.command).where(schema.command.c.command_id == first).values(state="applied", answered_at=1.0)
        )
    ask(order, device_id="dev-1")
    clock.at += 61
    ask(RunProbe())


def test_a_proposal_is_answered_once_at_a_time(ask: Callable[..., str], seed: Any) -> None:
    ask(AnswerProposal(proposal_id="prop-1", confirm=True), device_id="dev-1", proposal_id="prop-1")
    with pytest.raises(AlreadySent):
        ask(AnswerProposal(proposal_id="prop-1", confirm=False), by="b", device_id="dev-1", proposal_id="prop-1")
    ask(AnswerProposal(proposal_id="prop-2", confirm=False), device_id="dev-1", proposal_id="prop-2")
    assert len(seed.rows(schema.command)) == 2
