"""What a keeper's core is put together from: handed in by `appliance.keeper.main`, a lab or a test."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from appliance.keeper.devices.fingerprint import Rules
from appliance.keeper.filtering import Filtering
from appliance.keeper.handed import Answers
from appliance.keeper.household.record import Ids
from appliance.keeper.household.tamper import Ground
from appliance.keeper.law.desk import Desk
from appliance.keeper.list_health import Teller
from appliance.keeper.lists.match import Lists
from appliance.keeper.machine import Site
from appliance.keeper.self_test import SelfTest
from appliance.keeper.store.database import Store
from appliance.keeper.supply import Supply
from appliance.keeper.updating import Root
from appliance.keeper.uplink import Identity
from appliance.requests import SetNetworkRequest
from appliance.settings import NoticeSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a core is put together from."""

    store: Store
    desk: Desk
    identity: Identity
    lists: Lists
    rules: Rules
    ids: Ids
    heartbeat_seconds: float
    filtering: Filtering | None = None
    supply: Supply | None = None
    self_test: Callable[[Teller], SelfTest] | None = None
    """Given who writes findings about the box down, the test that detection works."""
    ground: Ground | None = None
    """What the box stands on; None in a script, where there is no box to watch."""
    notice: NoticeSettings | None = None
    """What the notice page says of the operator; None where there is no page."""
    boot: str | None = None
    """Id of this run of the machine; None where time is a script's: then nothing is sealed."""
    nonce: Callable[[], str] = field(default=lambda: secrets.token_hex(32))
    """64 hexadecimal digits that nobody can guess."""
    machine: Site | None = None
    """What the keeper sees of its machine; None in a script."""
    root: Root | None = None
    """Who may change the box; None where it takes no releases."""
    passphrases_left: Path | None = None
    """Sealed passphrases of the Wi-Fi as enrolment left them; None in a script."""
    ask_network: Callable[[SetNetworkRequest], None] | None = None
    """Asks root to change the Wi-Fi's name; None where there is nobody to ask."""
    answers: Answers | None = None
    """Root's last answer to what it was asked; None where there is nobody to ask."""
    remark: str = ""
    """Appended to what is said of the authority, such as a list that could not be read."""
