"""What an address is to the network: a second router, a second giver of addresses, a device upstream. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.keeper.signs.weigh import UPSTREAM_CROWD, Weighed
from appliance.keeper.signs.window import Context, Observed, Window
from appliance.signals import Signal
from wire.base import Standing
from wire.findings import FindingKind, Grade

_SMART_HOME = frozenset({"speaker", "tv", "iot-other"})
"""Categories that join networks of smart devices to the home's, and announce that as a router does."""

_REPEATER = "A repeater, a second access point or a second router that the household set up."
_BORROWED = "A device can send under the address of another, so it may be another device than the address says."
_SHARING = "Sharing a connection was switched on once on a computer or phone and is not used."


def weigh(mac: str, window: Window, context: Context) -> Iterator[Weighed]:
    """One of each kind."""
    expected = context.standing is Standing.INFRASTRUCTURE
    router, dhcp = window.of(Signal.ROUTER), window.of(Signal.DHCP_SERVER)
    if dhcp:
        yield Weighed(
            kind=FindingKind.OTHER_DHCP,
            grade=Grade.LOW if expected else Grade.HIGH,
            headline=f"This looks like a second router: the device {mac} hands out addresses to others.",
            reasons=("Devices that take one may use the internet past the box.",),
            support=dhcp,
            alternatives=(_REPEATER, _SHARING, _BORROWED),
            subject=mac,
            signals=len({item.value for item in dhcp}) + bool(router),
        )
    if router:
        smart = context.category in _SMART_HOME
        yield Weighed(
            kind=FindingKind.SECOND_ROUTER,
            grade=Grade.LOW if expected or (smart and not dhcp) else Grade.HIGH,
            headline=f"This looks like a second router: the device {mac} offers itself as one.",
            reasons=("Devices that follow may use the internet past the box.",),
            support=router,
            alternatives=(
                _REPEATER,
                "A television, speaker or hub that joins smart devices to the home network announces itself so.",
                _SHARING,
                _BORROWED,
            ),
            subject=mac,
            signals=1 + bool(dhcp),
        )
    yield from _upstream(mac, window, context)


def _upstream(mac: str, window: Window, context: Context) -> Iterator[Weighed]:
    heard = window.of(Signal.UPSTREAM)
    if not heard:
        return
    ways = sorted({item.value for item in heard if item.value})
    crowd = context.upstream > UPSTREAM_CROWD
    speaks = bool({"dhcp", "mdns"} & set(ways))
    provider = context.gateway and "dhcp" not in ways  # whoever gives the addresses asks for none
    strong = speaks and not provider and not crowd
    headline = f"A device ({mac}) looks like it is connected on the provider's side of the box."
    reasons: tuple[str, ...] = (f"It was heard in {_ways(heard)}.",)
    if provider:
        headline = f"The provider's own equipment ({mac}) is heard on the provider's side of the box."
    elif crowd:
        reasons = (*reasons, f"{context.upstream} devices are heard there, which looks like a provider's own network.")
    else:
        reasons = (*reasons, "What such a device does is not seen by the box.")
    yield Weighed(
        kind=FindingKind.UPSTREAM_DEVICE,
        grade=Grade.MEDIUM if strong else Grade.LOW,
        headline=headline,
        reasons=reasons,
        support=heard,
        alternatives=(
            "The provider's own equipment, such as its router, a telephone box or a television box.",
            "Neighbours, where a provider lets several homes share one network.",
            _BORROWED,
        ),
        subject=mac,
        signals=max(len(ways), 1),
    )


_WAYS = {"arp": "questions for addresses", "dhcp": "a wish for an address", "mdns": "an announcement"}


def _ways(heard: list[Observed]) -> str:
    words = dict.fromkeys(_WAYS.get(item.value, "its traffic") for item in heard)
    return " and ".join(words)
