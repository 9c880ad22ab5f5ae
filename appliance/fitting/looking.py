"""One look of an enrolled box, once a minute as root: what `gatehouse look` does. An edge.

In: the machine. Out: the file that keeper and light read. A look at the Wi-Fis around only every `SCAN_SECONDS`, for it
takes the radio from its devices; in between, what was found last stands.
"""

from __future__ import annotations

import logging
import os
import select
from pathlib import Path

from appliance import fresh
from appliance import settings as box_settings
from appliance.fitting import light, looks, machine, names, uplink
from appliance.fitting.places import Places
from appliance.fresh import Fresh
from appliance.link import LinkClosedError, connect
from appliance.messages import MessageError, Status, StatusRequest
from firmware import household, layout
from wire.files import FileError

SCAN_SECONDS = 6 * 3600.0
SCANNED = f"{layout.RUN}/scanned"
_ASK_SECONDS = 3.0

_log = logging.getLogger(__name__)


def look(places: Places, *, now: float) -> Fresh:
    """Look once. `now` is Unix seconds.

    Raises:
        FileError: the household file cannot be used.
    """
    house = household.load(places.at(layout.HOUSEHOLD_FILE))
    net = places.at("/sys/class/net")
    seen, way = looks.look(house, net, now=now, earliest=0.0)
    answered = names.answered(house.resolver.upstream) if seen.address else None
    seen = seen.model_copy(update={"names": answered, "upstream_wifi": _upstream(places, house, net, way, now)})
    keys, files = machine.kept(places)
    state = Fresh(
        at=now,
        kind=house.wan.kind,
        stage="enrolled" if places.enrolled else "asking",
        seen=seen,
        problem=uplink.judge(seen, enrolled=True),
        encrypted=machine.encrypted(places.at(machine.DATA_TOLD)),
        card_errors=machine.card_errors(places),
        certificate_ends=machine.certificate_ends(places),
        keys=keys,
        files=files,
    )
    status = _status(places)
    tell(places, state, recording=status is not None and status.recording, failed=status is None)
    return state


def tell(places: Places, state: Fresh, *, recording: bool = False, failed: bool = False) -> None:
    """To the file that others read, and to the light; `recording` and `failed` as in `light.state_of`."""
    try:
        fresh.write(places.at(layout.FRESH), state)
    except OSError as error:
        _log.warning("what was seen cannot be told: %s", error)
    light.show(places.at("/sys/class/leds"), light.state_of(state, recording=recording, failed=failed))


def _upstream(places: Places, house: household.Household, net: Path, way: looks.Way, now: float) -> bool | None:
    mark = places.at(SCANNED)
    before = fresh.read(places.at(layout.FRESH), owners=frozenset({os.geteuid()}))
    try:
        due = now - mark.stat().st_mtime >= SCAN_SECONDS or now < mark.stat().st_mtime
    except OSError:
        due = True
    if way.router is None or not due:
        return None if before is None else before.seen.upstream_wifi
    # Noted before it is tried: where nothing is heard, or `iw` fails, the radio is the family's all the same (R57).
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    os.utime(mark, (now, now))
    return looks.upstream_wifi(house, net, way)


def _status(places: Places) -> Status | None:
    """What the keeper says of itself; None where it does not answer."""
    try:
        settings = box_settings.load(places.at(layout.BOX_FILE))
        link = connect(settings.keeper_socket("status"))
    except (FileError, OSError):
        return None
    try:
        link.send(StatusRequest())
        if select.select([link], [], [], _ASK_SECONDS)[0]:
            return next((message for message in link.receive() if isinstance(message, Status)), None)
    except (LinkClosedError, MessageError, OSError):
        return None
    finally:
        link.close()
    return None
