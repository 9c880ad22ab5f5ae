"""A box that took another's place is given what the dashboard knew, in two steps."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update

from dashboard import auth
from dashboard.access import Role
from dashboard.ingest import replaced
from dashboard.store import schema
from dashboard.store.engine import reading
from wire.acts import RestoreDevices

pytestmark = pytest.mark.req("N15")
START = 1_900_000_000.0


class Home:
    """A household whose box has an order, a device, a binding and arrangements."""

    def __init__(self, engine: Engine, seed: Any) -> None:
        self.engine, self.seed = engine, seed
        seed.site(status_id="old-s9")
        self.one, self.two = (
            auth.add_account(engine, name=name, role=Role.OFFICER, now=0.0) for name in ("one", "two")
        )
        seed.device("dev-1", standing="household", label="Black phone", revision=4, key_id="k-9")
        seed.device("dev-2", merged_into="dev-1")
        seed.finding()
        seed.finding("srv-1", kind="box-silent", device_id=None)
        self.command("auth-1", {"action": "set-authority", "document": "{1}"}, second=self.two, at=1.0)
        self.command("auth-2", {"action": "set-authority", "document": "{2}"}, second=self.two, at=2.0)
        self.command("auth-3", {"action": "set-authority", "document": "{3}"}, at=3.0)
        self.command("bind", {"action": "bind-passphrase", "key_id": "k-2", "purpose": "household"}, at=4.0)
        self.command("on-its-way", {"action": "run-probe", "kind": "sweep"}, state="sent", at=5.0)
        at, later = "2030-03-01T00:00:00Z", "2031-01-01T00:00:00Z"
        by = {"by": self.one, "at": at, "reason": "Agreed"}
        seed.arrangements(
            quieted=[{"quiet_id": "q-1", "rule": "trend", "until": later, **by}],
            away=[{"away_id": "a-1", "starts": at, "ends": "2030-03-02T00:00:00Z", "reason": "Past", "by": self.one}],
            watch=[{"watch_id": "w-1", "name": "listed.example", "expires": later, **by}],
        )

    def command(self, command_id: str, body: dict[str, Any], *, at: float, **values: Any) -> None:
        row = {
            "command_id": command_id,
            "site": "site-1",
            "body": body,
            "reason": "x",
            "by": self.one,
            "created_at": at,
            "expires_at": at + 60,
            "state": "applied",
        }
        with self.engine.begin() as connection:
            connection.execute(insert(schema.command).values(**(row | values)))

    def replace(self) -> None:
        with self.engine.begin() as connection:
            replaced.replace_box(connection, site_id="site-1", verify_key="B" * 44, seal_key="C" * 44, now=START)

    def says(self, status_id: str, *, recording: bool) -> None:
        status = {"online": True, "at": "2030-03-17T17:46:40Z", "recording": recording}
        with self.engine.begin() as connection:
            connection.execute(update(schema.site).values(status=status, status_id=status_id, heard_at=START + 60))

    def go(self, now: float = START + 60) -> int:
        with self.engine.begin() as connection:
            return replaced.restore(connection, tenant="northmoor", now=now)

    def queued(self) -> list[dict[str, Any]]:
        with reading(self.engine).connect() as connection:
            mine = select(schema.command).where(schema.command.c.command_id.startswith("restore-"))
            rows = connection.execute(mine.order_by(schema.command.c.created_at, schema.command.c.command_id))
            return [dict(row) for row in rows.mappings()]

    def answer(self, state: str = "applied") -> None:
        with self.engine.begin() as connection:
            which = schema.command.c.state == "waiting"
            connection.execute(update(schema.command).where(which).values(state=state))


def addresses(mac: str) -> list[dict[str, Any]]:
    seen = "2030-03-17T17:46:00Z"
    return [{"mac": mac, "locally_administered": True, "first_seen": seen, "last_seen": seen}]


@pytest.fixture
def home(engine: Engine, seed: Any) -> Home:
    return Home(engine, seed)


def test_the_old_boxs_keys_and_what_it_left_open_end_at_once(home: Home) -> None:
    home.replace()
    (site,) = home.seed.rows(schema.site)
    assert (site["verify_key"], site["seal_key"], site["status_id"]) == ("B" * 44, "C" * 44, None)
    states = {row["finding_id"]: row["state"] for row in home.seed.rows(schema.finding)}
    assert states == {"find-1": "closed", "srv-1": "open"}
    closed = next(row for row in home.seed.rows(schema.finding) if row["finding_id"] == "find-1")
    assert closed["payload"]["closed_because"] == "The box was replaced."
    sent = next(row for row in home.seed.rows(schema.command) if row["command_id"] == "on-its-way")
    assert sent["state"] == "unanswered"


def test_nothing_is_sent_before_the_new_box_is_heard_of(home: Home) -> None:
    home.replace()
    assert home.go() == 0
    home.says("old-s10", recording=True)
    assert home.go() == 0, "that was the old one"
    assert home.queued() == []


def test_first_the_document_by_the_two_who_gave_it_then_the_home(home: Home) -> None:
    home.replace()
    home.says("new-s1", recording=False)
    assert home.go() == 1
    (document,) = home.queued()
    assert document["body"] == {"action": "set-authority", "document": "{2}"}, "the newest that two people gave"
    assert (document["by"], document["second"], document["state"]) == (home.one, home.two, "waiting")
    assert home.go() == 0, "the box does not record yet"
    home.answer()
    home.says("new-s2", recording=True)
    assert home.go() == 4
    bodies = [row["body"] for row in home.queued()[1:]]
    assert [body["action"] for body in bodies] == ["restore-devices", "bind-passphrase", "quiet-rule", "add-watch"]
    (device,) = RestoreDevices.model_validate(bodies[0]).devices
    assert (device.device_id, device.revision, device.label, device.key_id) == ("dev-1", 4, "Black phone", "k-9")
    assert home.seed.rows(schema.arrangements) == [], "the new box tells of its own"
    home.answer()
    home.go(START + 90)
    (row,) = home.seed.rows(schema.replacement)
    assert (row["old_epoch"], row["new_epoch"], row["asked_at"], row["done_at"]) == (
        "old",
        "new",
        START + 60,
        START + 90,
    )
    assert home.go(START + 99) == 0
    last = [line for line in home.seed.rows(schema.audit) if line["action"] == "restore-box"]
    assert [line["outcome"] for line in last] == ["done"]


def test_what_was_not_applied_is_said(home: Home) -> None:
    home.replace()
    home.says("new-s1", recording=True)
    home.go()
    home.go()
    home.answer("refused")
    home.go()
    outcomes = [line["outcome"] for line in home.seed.rows(schema.audit) if line["action"] == "restore-box"]
    assert outcomes == ["not all applied"]


def test_what_the_new_box_saw_itself_is_not_given_to_it_as_another_device(home: Home) -> None:
    home.seed.device("same-time", last_seen=START - 5)
    home.replace()
    home.seed.device("seen-anew", first_seen=START + 5, last_seen=START + 50, addresses=addresses("02:00:5e:00:54:01"))
    home.says("new-s1", recording=True)
    home.go()
    home.go()
    bodies = [row["body"] for row in home.queued()]
    (order,) = [RestoreDevices.model_validate(body) for body in bodies if body["action"] == "restore-devices"]
    assert [device.device_id for device in order.devices] == ["dev-1"], (
        "an address is one device's, here the known one's"
    )


def test_many_devices_come_in_pieces_and_are_bounded(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(70):
        home.seed.device(f"more-{number}", addresses=addresses(f"02:00:5e:00:54:{number:02x}"))
    monkeypatch.setattr(replaced, "MOST_DEVICES", 65)
    home.replace()
    home.says("new-s1", recording=True)
    home.go()
    home.go()
    pieces = [row["body"]["devices"] for row in home.queued() if row["body"]["action"] == "restore-devices"]
    assert [len(piece) for piece in pieces] == [32, 32, 1]
    assert pieces[0][0]["device_id"] == "dev-1", "those with a standing first"


@pytest.mark.req("R54")
def test_what_was_withdrawn_is_not_put_in_force_again(home: Home) -> None:
    home.command("stop", {"action": "withdraw-consent", "reason": "x"}, at=6.0, state="unanswered")
    home.replace()
    home.says("new-s1", recording=False)
    assert home.go() == 0
    assert home.queued() == []
    assert [row["outcome"] for row in home.seed.rows(schema.audit) if row["action"] == "restore-box"] == ["withdrawn"]


@pytest.mark.req("R54")
def test_a_new_document_after_a_withdrawal_counts(home: Home) -> None:
    home.command("stop", {"action": "withdraw-consent", "reason": "x"}, at=6.0)
    home.command("auth-4", {"action": "set-authority", "document": "{4}"}, second=home.two, at=7.0)
    home.replace()
    home.says("new-s1", recording=False)
    assert home.go() == 1
    assert home.queued()[0]["body"]["document"] == "{4}"


@pytest.mark.parametrize(
    ("resumed", "queued"), [(False, ["set-authority", "pause-recording"]), (True, ["set-authority"])]
)
def test_a_pause_goes_on_unless_two_people_ended_it(home: Home, *, resumed: bool, queued: list[str]) -> None:
    home.command("pause-over", {"action": "pause-recording", "reason": "x", "until": "2030-01-01T00:00:00Z"}, at=6.0)
    home.command("pause", {"action": "pause-recording", "reason": "x"}, at=7.0)
    if resumed:
        home.command("resume", {"action": "resume-recording", "reason": "x"}, at=8.0, second=home.two)
    home.replace()
    home.says("new-s1", recording=False)
    home.go()
    assert [row["body"]["action"] for row in home.queued()] == queued


def test_a_box_that_takes_a_revoked_ones_place_is_heard(home: Home) -> None:
    with home.engine.begin() as connection:
        connection.execute(update(schema.site).values(revoked_at=START))
    home.replace()
    (site,) = home.seed.rows(schema.site)
    assert site["revoked_at"] is None


def test_a_box_replaced_twice_is_given_everything_once(home: Home) -> None:
    home.replace()
    with home.engine.begin() as connection:
        replaced.replace_box(connection, site_id="site-1", verify_key="D" * 44, seal_key="E" * 44, now=START + 5)
    home.says("new-s1", recording=False)
    assert home.go() == 1
