"""Passphrases of the Wi-Fi as identity: which key was used in, what that says of the device out (N9).

hostapd names the passphrase a station joined with (its key id). A key that is one device's own
survives any change of address, so it says which device joined; the same key on two addresses at
once, or a visitor's key past its date, is worth a finding. Pure: no clock, no store.
Bounded: at most `MAX_KEYS` bindings; one more is refused with `TooManyKeysError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

MAX_KEYS = 256
"""More than any access point of a household holds; hostapd tries each in turn when a station joins."""


HOUSEHOLD = "household"
"""The id of the passphrase that everybody in the household may use."""


class TooManyKeysError(ValueError):
    """There is no room for another key."""


class Purpose(StrEnum):
    """What a passphrase is for."""

    DEVICE = "device"
    """One device's own."""
    GUEST = "guest"
    """A visitor's, with an end."""
    HOUSEHOLD = "household"
    """Everybody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What is known of one passphrase; never the passphrase itself."""

    key_id: str
    purpose: Purpose
    device_id: str | None = None
    """Whose it is; None for `DEVICE` lets the first device that joins with it have it."""
    until: float | None = None
    """For `GUEST`: Unix seconds from which it is past its date; None has no end."""


class Outcome(StrEnum):
    """What a join with a key says."""

    SAME = "same"
    """The key is a device's own and that device is not here under another address: it is that device."""
    FIRST = "first"
    """The key is for one device and has none yet: this device may have it."""
    SHARED = "shared"
    """The key is a device's own, and that device is here under another address: two use one key."""
    ENDED = "ended"
    """A visitor's key past its date."""
    OPEN = "open"
    """A key of everybody, or a visitor's within its date: says nothing about which device it is."""
    UNKNOWN = "unknown"
    """The box was never told about this key, or the event named none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a join means; `device_id` is the holder of the key where it has one."""

    outcome: Outcome
    device_id: str | None = None


class Passphrases:
    """The bindings of a household. Immutable: a change gives a new value."""

    def __init__(self, bindings: Iterable[Binding] = ()) -> None:
        """Later bindings of one key replace earlier ones.

        Raises:
            TooManyKeysError: more than `MAX_KEYS` keys.
        """
        self._by_key = {binding.key_id: binding for binding in bindings}
        if len(self._by_key) > MAX_KEYS:
            raise TooManyKeysError(f"at most {MAX_KEYS} passphrases can be kept apart")

    def __iter__(self) -> Iterator[Binding]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)

    def get(self, key_id: str) -> Binding | None:
        """What is known of a key."""
        return self._by_key.get(key_id)

    def of_device(self, device_id: str) -> tuple[Binding, ...]:
        """The keys that are this device's own."""
        return tuple(
            binding
            for binding in self._by_key.values()
            if binding.purpose is Purpose.DEVICE and binding.device_id == device_id
        )

    def bind(self, binding: Binding) -> Passphrases:
        """With this binding in place of what was known of its key.

        Raises:
            TooManyKeysError: it is a new key and there is no room.
        """
        return Passphrases((*self, binding))

    def handed_over(self, old_id: str, new_id: str) -> Passphrases:
        """With the keys of one device given to another, as when two are joined or split."""
        return Passphrases(
            replace(binding, device_id=new_id) if binding.device_id == old_id else binding for binding in self
        )

    def judge(self, key_id: str | None, now: float, *, holder_here: bool) -> Judgement:
        """What it says that an address joined with this key at `now` (Unix seconds).

        `holder_here`: whether another address of the key's device is here at this moment. A device
        that changes its address leaves with the old one first, so both at once are two devices.
        """
        binding = self._by_key.get(key_id) if key_id is not None else None
        if binding is None:
            return Judgement(outcome=Outcome.UNKNOWN)
        if binding.purpose is Purpose.HOUSEHOLD:
            return Judgement(outcome=Outcome.OPEN)
        if binding.purpose is Purpose.GUEST:
            ended = binding.until is not None and now >= binding.until
            return Judgement(outcome=Outcome.ENDED if ended else Outcome.OPEN, device_id=binding.device_id)
        if binding.device_id is None:
            return Judgement(outcome=Outcome.FIRST)
        return Judgement(outcome=Outcome.SHARED if holder_here else Outcome.SAME, device_id=binding.device_id)
