"""Passphrases of the household's Wi-Fi: orders in, kept sealed; the whole state for the warden out.

They are about the family's network and no device's use of it, so that orders about them need no authority (R57): only
whose a passphrase is needs one. Each is kept as it came, sealed to the box's own key under its id: nothing here can be
read from the database, and destroying that key destroys them. A box that knows of none, because it was just enrolled
or lost its database, takes what enrolment left or, failing that, what the access point reads: the home's Wi-Fi goes on.
What enrolment left goes at the next start after anything was changed (`appliance.fitting.first`).

Bounded: `MOST_PASSPHRASES`. How the access point is, is the last that the warden said.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pydantic import TypeAdapter, ValidationError

from appliance.keeper.household.keys import Keys
from appliance.keeper.law.acts import Acts, Given
from appliance.keeper.store.database import Store
from appliance.messages import Passphrase, WifiAsked, WifiKept, WifiPassphrases, WifiSeen
from appliance.passphrases import HOUSEHOLD, SET_UP, ordered
from appliance.requests import RequestError, SetNetworkRequest
from wire.box import WifiState
from wire.orders import BindPassphrase, EndPassphrase, SetNetwork, SetPassphrase
from wire.wifi import MOST_PASSPHRASES, SealedPassphrase, SealError, open_passphrase, seal_passphrase

GUEST_SECONDS = 7 * 24 * 3600.0
"""How long a visitor's passphrase counts where nobody said."""
SAY_SECONDS = 3600.0
"""How often the warden hears all again: its time moves on by ours."""
MAX_LEFT = 64 * 1024

_KEPT = "wifi"
"""Key in `meta`: the sealed passphrases, whole."""
_MANY: TypeAdapter[tuple[SealedPassphrase, ...]] = TypeAdapter(tuple[SealedPassphrase, ...])

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What passphrases rest on beside the store."""

    site: str
    opener: X25519PrivateKey
    left: Path | None = None
    """Sealed passphrases as enrolment left them."""
    ask: Callable[[SetNetworkRequest], None] | None = None
    """Asks root to change the network; None where there is nobody to ask."""


class Wifi:
    """The passphrases. Calls that write belong in the store's transaction."""

    def __init__(self, store: Store, keys: Keys, given: Setting) -> None:
        self._store = store
        self._keys = keys
        self._given = given
        self._left = given.left
        self._seen: WifiSeen | None = None
        self._due = float("-inf")
        self.changed = False
        """The warden is to be told; `message` takes it back."""
        self._sealed = {each.key_id: each for each in _parse(store.get(_KEPT) or "[]", what="what was kept")}
        self._readable = {each.key_id: key for each in self._sealed.values() if (key := self._open(each)) is not None}

    def register(self, acts: Acts) -> None:
        """Follow the orders about the Wi-Fi."""
        acts.on(SetPassphrase, self.set)
        acts.on(EndPassphrase, self.end)
        acts.on(SetNetwork, self.network)

    # --- the warden -------------------------------------------------------------------------

    def _start(self, at: float) -> None:
        """What enrolment left, where nothing is known."""
        left, self._left = self._left, None
        if self._sealed or left is None:
            return
        for each in _parse(_read(left), what=str(left)):
            if self._open(each) is not None and len(self._sealed) < MOST_PASSPHRASES:
                self._keep(each)
                self._bind(each, None, at)
        if self._sealed:
            self._write()

    def message(self, at: float, monotonic: float) -> WifiPassphrases | WifiAsked:
        """What the warden is to hear: all of them, or a question where none is known."""
        self._start(at)
        self.changed = False
        self._due = monotonic + SAY_SECONDS
        if not self._readable:
            return WifiAsked()
        return WifiPassphrases(keys=ordered(self._readable.values()), at=at)

    def due(self, at: float, monotonic: float) -> bool:
        """Take in what enrolment left, out what has ended; whether the warden is to hear of it, or anew."""
        self._start(at)
        over = [key_id for key_id, key in self._readable.items() if key.ends is not None and key.ends <= at]
        for key_id in over:
            self._drop(key_id, at)
        return (self.changed or monotonic >= self._due) and bool(self._readable)

    def kept(self, said: WifiKept, at: float) -> None:
        """What the access point reads, where the box knows of nothing, or cannot open what it knew."""
        before = frozenset(self._sealed)
        for key in said.keys:
            if key.key_id in self._readable or key.key_id == SET_UP or len(self._sealed) >= MOST_PASSPHRASES:
                continue
            if before and key.key_id not in before and key.key_id != HOUSEHOLD:
                continue  # it was ended here meanwhile; the home's own cannot be
            sealed = seal_passphrase(
                key.passphrase, site=self._given.site, key_id=key.key_id, recipient=self._given.opener.public_key()
            )
            until = None if key.ends is None else datetime.fromtimestamp(key.ends, UTC)
            each = SealedPassphrase(key_id=key.key_id, sealed=sealed, purpose=key.purpose, until=until)
            self._keep(each)
            self._bind(each, None, at)
            _log.info("a passphrase was taken over from the access point")
        self._write()

    def seen(self, said: WifiSeen) -> None:
        """How the access point is."""
        if said.detail and (self._seen is None or self._seen.detail != said.detail):
            _log.warning("Wi-Fi: %s", said.detail)
        self._seen = said

    def state(self) -> WifiState | None:
        """For the server; None where the warden has said nothing of an access point."""
        if self._seen is None:
            return None
        said = self._seen
        return WifiState(up=said.up, ssid=said.ssid, stations=said.stations, passphrases=said.passphrases)

    # --- orders -----------------------------------------------------------------------------

    def set(self, order: SetPassphrase, given: Given) -> str | None:
        """A passphrase, new or in place of another. None when it counts, else why not."""
        until = None if order.until is None or order.purpose != "guest" else order.until
        if order.purpose == "guest" and until is None:
            until = datetime.fromtimestamp(given.at + GUEST_SECONDS, UTC)
        each = SealedPassphrase(key_id=order.key_id, sealed=order.sealed, purpose=order.purpose, until=until)
        key = self._open(each)
        refusal = self._refusal(order, key, given)
        if refusal is None:
            refusal = self._bind(each, order.device_id, given.at)
        if refusal is None:
            self._keep(each)
            self._write()
        return refusal

    def _refusal(  # noqa: PLR0911 - one return a reason reads best
        self, order: SetPassphrase, key: Passphrase | None, given: Given
    ) -> str | None:
        if key is None:
            return "The passphrase was not made for this box, so it cannot be used. Make it again."
        if order.device_id is not None and given.scope is None:
            return "No authority is in force at the box, so a passphrase cannot be given to a device."
        if key.ends is not None and key.ends <= given.at:
            return "The passphrase would already be over."
        if order.key_id in {HOUSEHOLD, SET_UP} and order.purpose != "household":
            return "This is the name of the whole household's passphrase."
        others = [each for each in self._readable.values() if each.key_id != order.key_id]
        if any(each.passphrase == key.passphrase for each in others):
            return "Another entry has the same passphrase. The box could not tell the two apart."
        if len(set(self._sealed) | {order.key_id}) > MOST_PASSPHRASES:
            return f"The Wi-Fi can have {MOST_PASSPHRASES} passphrases at most. End one first."
        return None

    def end(self, order: EndPassphrase, given: Given) -> str | None:
        """A passphrase that lets nobody in any more; who joined with it is sent away."""
        if order.key_id not in self._sealed:
            return "The Wi-Fi has no passphrase of this name."
        if order.key_id == HOUSEHOLD or set(self._sealed) == {order.key_id}:
            return "The home would be left without its passphrase. Set another one in its place."
        self._drop(order.key_id, given.at)
        return None

    def network(self, order: SetNetwork, given: Given) -> str | None:
        """The name of the Wi-Fi and how it is secured: handed to root, who looks at it again."""
        ask = self._given.ask
        if ask is None:
            return "This box cannot do that."
        request = SetNetworkRequest(
            request_id=given.command_id,
            at=given.at,
            ssid=order.ssid,
            security=order.security,
            isolation=order.isolation,
        )
        try:
            ask(request)
        except (OSError, RequestError) as error:
            _log.warning("the network's request cannot be written: %s", error)
            return "The box could not hand this on. Try again."
        return None

    # --- inside -----------------------------------------------------------------------------

    def _keep(self, each: SealedPassphrase) -> None:
        self._sealed[each.key_id] = each
        key = self._open(each)
        if key is not None:
            self._readable[each.key_id] = key
        self.changed = True

    def _drop(self, key_id: str, at: float) -> None:
        self._sealed.pop(key_id, None)
        self._readable.pop(key_id, None)
        self._keys.unbind(key_id, at)
        self.changed = True
        self._write()

    def _bind(self, each: SealedPassphrase, device_id: str | None, at: float) -> str | None:
        order = BindPassphrase(key_id=each.key_id, purpose=each.purpose, device_id=device_id, until=each.until)
        return self._keys.bind(order, at)

    def _open(self, each: SealedPassphrase) -> Passphrase | None:
        try:
            plain = open_passphrase(
                each.sealed, site=self._given.site, key_id=each.key_id, recipient=self._given.opener
            )
        except SealError:
            _log.warning("a passphrase cannot be opened with this box's key")
            return None
        ends = None if each.until is None else each.until.timestamp()
        return Passphrase(key_id=each.key_id, passphrase=plain, purpose=each.purpose, ends=ends)

    def _write(self) -> None:
        self._store.set(_KEPT, _MANY.dump_json(tuple(self._sealed.values()), exclude_none=True).decode())


def _parse(text: str, *, what: str) -> Iterable[SealedPassphrase]:
    try:
        return _MANY.validate_json(text)[:MOST_PASSPHRASES]
    except ValidationError:
        _log.warning("%s: no sealed passphrases", what)
        return ()


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_LEFT).decode("utf-8", "replace")
    except FileNotFoundError:
        return "[]"
    except OSError as error:
        _log.warning("%s: cannot be read (%s)", path, error.strerror)
        return "[]"
