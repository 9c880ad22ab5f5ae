"""Which page's form is which act, and its fields. See `acts`.

`EXEMPT` names the forms that a program cannot send, each with the reason; a test holds the two together complete.
"""

from __future__ import annotations

from typing import Literal

from dashboard.api.acts import Act, Text, Texts

_DAY = (Text, "")
_HOME = "/households/<site>"
_DEVICE = f"{_HOME}/devices/<device>"
_FINDING = f"{_HOME}/findings/<finding>"
_WHY = {"reason": Text}
_STANDING = {
    "standing": Literal["registered", "household", "guest", "work", "infrastructure"],
    "label": (Text, ""),
    "days": (int | None, None),
    "reason": Text,
}


def _law(key: str, name: str, says: str, **fields: object) -> Act:
    return Act(
        name=name,
        rule=f"{_HOME}/law/{key}",
        endpoint="law.act",
        says=says,
        tag="law",
        fixed={"act": key},
        fields={**fields, **_WHY},
    )


def _device_law(key: str, name: str, says: str, **fields: object) -> Act:
    return Act(
        name=name,
        rule=f"{_DEVICE}/law/{key}",
        endpoint="law.device_act",
        says=says,
        tag="law",
        fixed={"act": key},
        fields={**fields, **_WHY},
    )


def _second(key: str, name: str, says: str) -> Act:
    return Act(
        name=name,
        rule=f"/commands/<command>/{key}",
        endpoint="second.answer",
        says=says,
        tag="commands",
        fixed={"answer": key},
        fields=_WHY,
    )


def _end(kind: str) -> Act:
    return Act(
        name=f"end_{kind}",
        rule=f"{_HOME}/arrangements/end-{kind}",
        endpoint="arrangements.end",
        says=f"End an arrangement of the kind {kind}.",
        tag="arrangements",
        fixed={"kind": kind},
        fields={"reference": Text},
    )


_EMERGENCY = (Literal["yes"] | None, None)
_DAYS = {"since": Text, "until": Text}

ACTS: tuple[Act, ...] = (
    Act(
        name="register_from_finding",
        rule=f"{_FINDING}/standing",
        endpoint="finding.register",
        says="Say whose the device of a finding is.",
        tag="findings",
        fields=_STANDING,
    ),
    Act(
        name="quiet_from_finding",
        rule=f"{_FINDING}/quiet",
        endpoint="finding.quiet",
        says="Say that a finding is not relevant here.",
        tag="findings",
        fields={
            "scope": Literal["subject", "device", "home"],
            "why": Literal["needed", "by-itself", "agreed", "mistaken", "other"],
            "ends": (Literal["7", "30", "90", ""], "30"),
            "reason": (Text, ""),
        },
    ),
    Act(
        name="register_device",
        rule=f"{_DEVICE}/standing",
        endpoint="device.register",
        says="Say whose a device is.",
        tag="devices",
        fields=_STANDING,
    ),
    Act(
        name="correct_device",
        rule=f"{_DEVICE}/correction",
        endpoint="device.correct",
        says="Say what a device is, whatever it shows of itself.",
        tag="devices",
        fields={"category": (Text, ""), "os_family": (Text, ""), "vendor": (Text, ""), "model": (Text, ""), **_WHY},
    ),
    Act(
        name="bind_passphrase",
        rule=f"{_DEVICE}/passphrase",
        endpoint="device.bind",
        says="Say what a Wi-Fi passphrase is for.",
        tag="devices",
        fields={
            "key_id": Text,
            "purpose": Literal["device", "guest", "household"],
            "days": (int | None, None),
            **_WHY,
        },
    ),
    Act(
        name="split_device",
        rule=f"{_DEVICE}/split",
        endpoint="device.split",
        says="Take addresses out of a device.",
        tag="devices",
        fields={"macs": Texts, **_WHY},
        form={"confirmed": "1"},
    ),
    Act(
        name="answer_proposal",
        rule=f"{_HOME}/proposals/<proposal>",
        endpoint="proposal.answer",
        says="Say whether two devices are one.",
        tag="devices",
        fields={"answer": Literal["confirm", "refuse"], **_WHY},
    ),
    Act(
        name="look_round",
        rule=f"{_HOME}/look-round",
        endpoint="devices.look_round",
        says="Let the box look round once.",
        tag="households",
        fields={"kind": Literal["sweep", "services", "dhcp"]},
    ),
    Act(
        name="set_away",
        rule=f"{_HOME}/arrangements/away",
        endpoint="arrangements.away",
        says="Say that nobody, or one device, will be at home.",
        tag="arrangements",
        fields={"starts": Text, "ends": Text, "device": (Text, ""), **_WHY},
    ),
    Act(
        name="add_watch",
        rule=f"{_HOME}/arrangements/watch",
        endpoint="arrangements.watch",
        says="Add an entry of the household's own.",
        tag="arrangements",
        fields={
            "name": Text,
            "kind": Literal["find", "exclude"],
            "below": (bool, False),
            "severity": (Literal["act_now", "today", "this_week", "information", ""], ""),
            "days": int,
            **_WHY,
        },
    ),
    _end("quiet"),
    _end("away"),
    _end("watch"),
    Act(
        name="hand_in_document",
        rule=f"{_HOME}/law/document",
        endpoint="law.document",
        says="Hand in a signed document, and ask that it is put in force.",
        tag="law",
        fields={"document": Text, **_WHY},
        file="document",
    ),
    _law("pause", "pause_recording", "Pause recording.", until=_DAY),
    _law("resume", "resume_recording", "Ask to go on recording before a pause is over."),
    _law("withdraw", "withdraw_consent", "Note that a consent was withdrawn.", consent=(Text, "")),
    _law("hold", "hold_records", "Ask to keep records of a case longer.", **_DAYS, device=(Text, ""), days=int),
    _law("end-hold", "end_hold", "End the keeping of records.", reference=Text),
    _device_law(
        "unmask", "unmask_device", "Ask to look at a device as at a registered one.", hours=int, emergency=_EMERGENCY
    ),
    _device_law("end-unmask", "end_unmask_device", "Stop looking at a device as at a registered one."),
    _device_law("erase", "erase_device_records", "Ask to erase a device's records.", since=_DAY, until=_DAY),
    _device_law("code", "make_device_code", "Make a code for a device's own page.", hours=int),
    Act(
        name="collect_bundle",
        rule=f"{_HOME}/bundles",
        endpoint="handed.collect",
        says="Ask for records to be collected.",
        tag="law",
        fields={
            "purpose": Literal["evidence", "access"],
            **_DAYS,
            "device": (Text, ""),
            "emergency": _EMERGENCY,
            **_WHY,
        },
    ),
    Act(
        name="certify_bundle",
        rule=f"{_HOME}/bundles/<reference>/certificate",
        endpoint="handed.certify",
        says="Certify what was collected.",
        tag="law",
        fields=_WHY,
    ),
    Act(
        name="answer_request",
        rule=f"{_HOME}/requests/<reference>",
        endpoint="requests.answer",
        says="Close a request of the home with what was done about it.",
        tag="law",
        fields=_WHY,
    ),
    _second("agree", "agree_command", "Agree to a command as the second person."),
    _second("refuse", "refuse_command", "Refuse a command as the second person."),
    _second("take-back", "take_back_command", "Take back what was asked for."),
    _second("review", "review_command", "Note that you have looked at an emergency."),
    Act(
        name="read_message",
        rule="/messages/<about>/read",
        endpoint="second.read",
        says="Say that a message was read.",
        tag="account",
    ),
)

EXEMPT: dict[str, str] = {
    "signin.sign_in": "a session is a person's",
    "signin.sign_out": "a session is a person's",
    "language.choose": "a cookie of a browser",
    "tokens.make": "a token makes no token",
    "tokens.end": "a token ends no token",
    "agent.report": "takes a file and shows a page of it",
}
