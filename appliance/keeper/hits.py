"""A list hit in; its finding out. Pure.

It says what was asked for and how, which entry of which list and version covers it, whose list that is and
under which clause it is in force (R29, N16). Of a confidential list neither the name nor what led to it is said.
"""

from __future__ import annotations

from appliance.keeper import findings
from appliance.keeper.devices.model import Device
from appliance.keeper.lists.match import Match, NameList
from appliance.keeper.lists.names import remark, shown
from appliance.keeper.now import Now
from appliance.messages import How
from wire.findings import Finding, FindingKind, ListHit, Severity

_ASKED = {
    How.DNS: "The device asked where to find {name}.",
    How.TLS: "The device opened a protected connection to {name}.",
    How.QUIC: "The device opened a protected connection to {name}.",
    How.HTTP: "The device opened a connection to {name}.",
    How.ANSWER: "The device was sent on to {name} when it asked where to find {asked}.",
}
_UNSAID = "a name that is not shown, because the list is confidential"
MAX_CAUSE = 64


def listed(
    device: Device,
    match: Match,
    *,
    clause: str,
    name: str,
    how: How,
    now: Now,
    finding_id: str,
    asked: str | None = None,
    because: str | None = None,
    record: str | None = None,
) -> Finding:
    """A device asked for a name that is on a list in force.

    `asked` is the name whose answer led to `name`; `because` why an officer put the entry on the list; `record`
    the id of the row that is kept of the name, None where none is.
    """
    found = match.list
    told = None if found.confidential else name
    led = None if found.confidential else asked
    letters = None if told is None else shown(told)
    texts = [
        _ASKED[how].format(name=told or _UNSAID, asked=led or "another name"),
        f"It is on the list “{found.title}”, version {found.version}{_whose(found)}.",
        "Which entry covers it is told by its keyed hash."
        if found.confidential
        else f"The entry that covers it is {match.entry}.",
    ]
    if letters is not None:
        texts.append(f"In letters the name reads {letters}.")
    if told is not None and (deceiving := remark(told)) is not None:
        texts.append(deceiving)
    if because is not None:
        texts.append(f"An officer added the entry for this home: {because}")
    texts.append(f"Clause {clause} puts this list in force for this device.")
    alternatives = [
        "A page, an advertisement or a program in the background can ask for a name that nobody chose to visit.",
        "That a name was asked for does not show that anything was opened or read.",
    ]
    if how is How.ANSWER:
        alternatives.append("Many sites are served under other names, and who runs the site may not know all of them.")
    finding = findings.raised(
        FindingKind.LISTED_NAME,
        device,
        clause=clause,
        now=now,
        finding_id=finding_id,
        severity=found.severity,
        confidence=0.8 if how in {How.DNS, How.ANSWER} else 0.9,
        reasons=tuple(findings.clip(text) for text in texts),
        alternatives=tuple(alternatives),
        hit=ListHit(
            name=told,
            how=how.value,
            list_id=found.id,
            list_version=found.version,
            list_sha256=found.sha256,
            entry=match.entry,
            category=_cut(found.category, 40),
            owner=_cut(found.owner, 120),
            source=_cut(found.source, 300),
            asked=led,
            shown=letters,
        ),
    )
    if record is not None:
        finding = finding.model_copy(update={"records": (record,)})
    if found.severity is Severity.ACT_NOW:
        return finding  # each stands for itself
    return finding.model_copy(update={"cause": f"{device.device_id}-{found.id}"[:MAX_CAUSE]})


def _whose(found: NameList) -> str:
    return f", kept by {found.owner}" if found.owner else ""


def _cut(text: str | None, most: int) -> str | None:
    return None if text is None else text[:most]
