"""What a document allows that the one in force does not: compared by what it comes to, not by how it is written.

In: two documents. Out: plain sentences, none where the new one allows no more. Pure. Clauses may be numbered,
split or joined anew; what counts is what a box may do of which devices, until when, and how long it keeps it.
Bounded: at most `MOST` sentences, the last of which says that there is more.
"""

from __future__ import annotations

from collections.abc import Iterator

from appliance.keeper.authority import Scope, ends, when
from appliance.keeper.words import DEVICES, KEPT
from wire.authority import STEP_DOWN_MONTHS, Authority
from wire.base import Standing

MOST = 12
_FIRST = "There was no authority before."


def widened(old: Authority | None, new: Authority) -> tuple[str, ...]:
    """What `new` allows beyond `old`."""
    if old is None:
        return (_FIRST,)
    found = list(dict.fromkeys(_all(old, new)))
    return tuple(found) if len(found) <= MOST else (*found[: MOST - 1], "It allows more besides.")


def _all(old: Authority, new: Authority) -> Iterator[str]:
    yield from _terms(old, new)
    before, after = Scope(authority=old), Scope(authority=new)
    for standing in Standing:
        yield from _collected(before, after, standing)
        yield from _held_back(before, after, standing)
        yield from _opened(before, after, standing)
    if after.register() is not None and before.register() is None:
        yield "Devices are to be registered."
    if after.nearby() is not None and before.nearby() is None:
        yield "Phones that are near may be counted."
    yield from _kept_longer(old, new)


def _terms(old: Authority, new: Authority) -> Iterator[str]:
    if ends(new) > ends(old):
        yield f"It ends later: on {when(ends(new))}."
    if new.not_before < old.not_before:
        yield f"It starts earlier: on {when(new.not_before)}."
    if new.review_date > old.review_date:
        yield f"It is reviewed later: on {when(new.review_date)}."
    if (new.step_down_months or STEP_DOWN_MONTHS) > (old.step_down_months or STEP_DOWN_MONTHS):
        yield "It asks less often whether less would do."
    if new.kind != old.kind:
        yield "It rests on another kind of authority."
    if new.purpose != old.purpose:
        yield "It has another purpose."
    needed = {consent.id for consent in old.consents or () if consent.kind == "consent"}
    if needed - {consent.id for consent in new.consents or () if consent.kind == "consent"}:
        yield "A consent that was needed is not asked for any more."
    for pause in old.pauses or ():
        if not any(each.starts <= pause.starts and pause.ends <= each.ends for each in new.pauses or ()):
            yield "A pause is shorter, or gone."


def _collected(before: Scope, after: Scope, standing: Standing) -> Iterator[str]:
    had = before.classes(standing)
    for data_class in after.classes(standing):
        if data_class not in had:
            yield f"Of {DEVICES[standing]}: {KEPT[data_class]}."
    known = before.lists(standing)
    for list_id in after.lists(standing):
        if list_id not in known:
            yield f"The list {list_id} is looked for on {DEVICES[standing]}."
        elif after.itemise(standing, list_id) and not before.itemise(standing, list_id):
            yield f"Names on the list {list_id} are shown one by one for {DEVICES[standing]}."


def _held_back(before: Scope, after: Scope, standing: Standing) -> Iterator[str]:
    whose = DEVICES[standing]
    if after.quarantine(standing) is not None and before.quarantine(standing) is None:
        yield f"May be kept from the internet: {whose}."
    if set(after.block_lists(standing)) - set(before.block_lists(standing)):
        yield f"More addresses are not opened on {whose}."
    only, was = after.allow_lists(standing), before.allow_lists(standing)
    if only is not None and (was is None or set(was) - set(only)):
        yield f"Fewer addresses are opened on {whose}."
    if after.safe_search(standing) is not None and before.safe_search(standing) is None:
        yield f"Search engines answer {whose} in their strict mode."
    if set(after.refuses(standing)) - set(before.refuses(standing)):
        yield f"More services are turned down for {whose}."
    closed = after.quarantine_closed(standing) and not before.quarantine_closed(standing)
    if closed or (after.fail_closed(standing) and not before.fail_closed(standing)):
        yield f"It stays so without the box's software: {whose}."


def _opened(before: Scope, after: Scope, standing: Standing) -> Iterator[str]:
    new, old = after.unmasking(standing), before.unmasking(standing)
    if new is None:
        return
    if old is None or set(new.classes) - set(old.classes):
        yield f"The mask may be taken off one of {DEVICES[standing]}, or more be kept of it then."
    elif new.most_hours > old.most_hours:
        yield f"The mask may be off for longer: {new.most_hours} hours."


def _kept_longer(old: Authority, new: Authority) -> Iterator[str]:
    """A document that does not say how long leaves it to the box's own table: to say more than before is more."""
    days = {keep.data_class: keep.days for keep in old.retention or ()}
    said = {keep.data_class: keep.days for keep in new.retention or ()}
    if any(name not in days or count > days[name] for name, count in said.items()) or set(days) - set(said):
        yield "Records are kept for longer, or for another time than the box's own."
