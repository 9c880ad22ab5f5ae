from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from dashboard.pages.orders import told
from wire.acts import (
    BuildBundle,
    EndHold,
    EndUnmask,
    EraseRecords,
    FetchBundle,
    IssueCode,
    PauseRecording,
    Restored,
    RestoreDevices,
    ResumeRecording,
    SetAuthority,
    SetHold,
    Unmask,
    WithdrawConsent,
)
from wire.base import Correction, Standing
from wire.orders import (
    AddWatch,
    AnswerProposal,
    BindPassphrase,
    CorrectDevice,
    EndAway,
    EndPassphrase,
    EndQuiet,
    EndWatch,
    Order,
    QuietRule,
    ReportAgent,
    RunProbe,
    SetAway,
    SetNetwork,
    SetPassphrase,
    SetStanding,
    Span,
    SplitDevice,
    TakeRelease,
    WipeBox,
)
from wire.release import Release, SignedRelease

FROM, TO = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC)

RESTORED = Restored(
    device_id="d",
    revision=1,
    standing=Standing.GUEST,
    macs=("02:00:5e:00:53:01",),
    first_seen=FROM,
    last_seen=TO,
)
RELEASE = SignedRelease(
    release=Release(
        version="2026.11.2",
        board="gatehouse-pi",
        url="https://releases.example/2026.11.2.raucb",
        sha256="0" * 64,
        size=1000,
        floor="2026.10.1",
        issued=FROM,
        expires=TO,
    ),
    signatures=(("0" * 16, "A" * 86 + "=="),),
)
ORDERS: tuple[tuple[Order, str], ...] = (
    (SetStanding(device_id="d", standing=Standing.GUEST), "Guest"),
    (CorrectDevice(device_id="d", correction=Correction(category="tv", model="One")), "It is: television or"),
    (CorrectDevice(device_id="d", correction=Correction()), "What it is: left to the box"),
    (AnswerProposal(proposal_id="p", confirm=True), "They are one device"),
    (AnswerProposal(proposal_id="p", confirm=False), "They are two devices"),
    (SplitDevice(device_id="d", macs=("02:00:5e:00:53:01",)), "Take out 1 address"),
    (BindPassphrase(key_id="k-1", purpose="guest"), "Wi-Fi passphrase k-1: a visitor's"),
    (RunProbe(kind="dhcp"), "Look round: whether something else"),
    (SetPassphrase(key_id="k-1", sealed="A" * 88, purpose="device"), "New Wi-Fi passphrase k-1: this device's own"),
    (EndPassphrase(key_id="k-1"), "Wi-Fi passphrase k-1 ends"),
    (SetNetwork(ssid="Home"), "The Wi-Fi's name"),
    (TakeRelease(signed=RELEASE), "Update to version 2026.11.2"),
    (WipeBox(removal_id="removal-1"), "Wipe the box"),
    (QuietRule(rule="tunnel", device_id="d", reason="Work"), "Not relevant here: this subject, on this device"),
    (
        QuietRule(rule="tunnel", narrow=False, reason="Work", until=TO),
        "Not relevant here: all that the rule finds, in this home",
    ),
    (
        QuietRule(rule="tunnel", subject="vpn.example", reason="Work"),
        "Not relevant here: this subject, in this home",
    ),
    (EndQuiet(quiet_id="q-1"), "Let a quieted rule speak again"),
    (SetAway(starts=FROM, ends=TO, reason="Holiday"), "Away from 1 March 2026 to 7 March 2026"),
    (EndAway(away_id="a-1"), "Take an away time back"),
    (AddWatch(name="listed.example", reason="Agreed", expires=TO), "Watch for: listed[.]example"),
    (AddWatch(name="help.example", excluded=True, reason="Health", expires=TO), "Never keep: help[.]example"),
    (EndWatch(watch_id="w-1"), "Take an entry of this home off"),
    (SetAuthority(document="{}"), "Put a document in force"),
    (PauseRecording(reason="Visit", until=TO), "Pause recording"),
    (ResumeRecording(reason="Over"), "Go on recording"),
    (WithdrawConsent(reason="Said so"), "A consent was withdrawn"),
    (Unmask(device_id="d", until=TO, reason="Case"), "Treat as a registered device"),
    (EndUnmask(device_id="d"), "No longer treat as a registered device"),
    (SetHold(hold_id="h", since=FROM, until=TO, review=TO, reason="Case"), "Keep records of a case"),
    (EndHold(hold_id="h"), "End the keeping of records"),
    (EraseRecords(device_id="d", reason="Mistake"), "Erase its records"),
    (BuildBundle(bundle_id="b", purpose="access", since=FROM, until=TO, reason="Asked"), "Collect records to hand out"),
    (FetchBundle(bundle_id="b"), "Fetch collected records"),
    (IssueCode(device_id="d", code_sha256="ab" * 32, expires=TO), "A code for the device's own page"),
    (RestoreDevices(devices=(RESTORED,)), "Give a new box what the old one knew"),
    (
        ReportAgent(device_id="d", source="Agent", covers_from=FROM, covers_to=TO, spans=(Span(starts=FROM, ends=TO),)),
        "Report of software on the device: 1 time of use",
    ),
)


def test_every_order_is_here() -> None:
    assert {type(order) for order, _ in ORDERS} == set(get_args(get_args(Order)[0]))


@pytest.mark.parametrize(("order", "short"), ORDERS)
def test_an_order_is_said_in_plain_words(order: Order, short: str) -> None:
    said = told(order.model_dump(mode="json", exclude_none=True))
    assert said.short.startswith(short)
    assert said.facts
    assert said.applied.endswith(".")
    whole = " ".join((said.short, said.applied, *(f"{key} {value}" for key, value in said.facts))).lower().split()
    assert not {"mac", "dhcp", "mdns", "arp", "sweep", "merge", "he", "she"} & set(whole)


@pytest.mark.parametrize("body", [{}, {"action": "fly\u202e"}, {"action": "run-probe", "kind": 7}])
def test_one_of_another_version_is_named_as_it_is(body: dict[str, Any]) -> None:
    said = told(body)
    assert "\u202e" not in said.short
    assert said.facts == (("Asked for", said.short),)
