"""Words of the signs: what a device's traffic, or its silence, may mean. See `kinds`.

A sign is graded and never asserted: every sentence says `seems`, `looks like` or `may`, and every kind
names what else often explains it (R18). Nothing here tells how anything would be done.
"""

from __future__ import annotations

from collections.abc import Mapping

from dashboard.pages.kinds import Kind
from wire.findings import FindingKind

_SIGNS = "Under {under}, the box keeps signs that something may pass it unseen. "

SIGNS: Mapping[FindingKind, Kind] = {
    FindingKind.ENCRYPTED_DNS: Kind(
        one="{who} seems to ask for names where the box cannot read them",
        many="Names seem to be asked for where the box cannot read them, {n} findings",
        why=_SIGNS + "What is asked for in this way is compared with no list.",
        innocent=(
            "Many browsers, phones and apps do this by themselves to protect privacy.",
            "An update may have switched it on.",
        ),
    ),
    FindingKind.OTHER_RESOLVER: Kind(
        one="{who} turned to another service than the box to ask for names",
        many="Other services than the box were asked for names, {n} findings",
        why=_SIGNS + "The box answered these questions itself, so nothing was hidden by them.",
        innocent=("Some televisions, speakers and apps are made that way and cannot be changed.",),
    ),
    FindingKind.RELAY: Kind(
        one="{who} asked for a service that hides names and addresses",
        many="A service that hides names and addresses was asked for, {n} findings",
        why=_SIGNS + "Asking for such a service does not show that it was used.",
        innocent=("Many phones and tablets come with such a service, and ask for it by themselves.",),
    ),
    FindingKind.TUNNEL: Kind(
        one="{who} sends traffic that looks like a tunnel",
        many="Traffic looks like a tunnel, {n} findings",
        why=_SIGNS + "What passes through a tunnel is compared with no list.",
        innocent=(
            "Employers, schools and banks often ask for such a connection.",
            "Security apps, games and calls can look the same.",
        ),
    ),
    FindingKind.TOR: Kind(
        one="{who} sends traffic that looks like Tor",
        many="Traffic looks like Tor, {n} findings",
        why=_SIGNS + "The box cannot see what such traffic is for.",
        innocent=(
            "Some browsers and chat apps have it built in and may connect once by themselves.",
            "It is also used by people who look for confidential help.",
        ),
    ),
    FindingKind.PROXY: Kind(
        one="{who} seems to reach the internet through another computer",
        many="The internet seems to be reached through other computers, {n} findings",
        why=_SIGNS + "Then the box sees that computer, and not always what lies beyond it.",
        innocent=("Work and school devices are often set up that way.",),
    ),
    FindingKind.DNS_TUNNEL: Kind(
        one="{who} asks for names that look like data carried in them",
        many="Names were asked for that look like data carried in them, {n} findings",
        why=_SIGNS + "Names of this form can carry other things than names.",
        innocent=("Virus scanners, mail filters and some online stores ask for names of this form.",),
    ),
    FindingKind.UNKNOWN_PROTOCOL: Kind(
        one="{who} makes connections that look like noise",
        many="Connections look like noise, {n} findings",
        why=_SIGNS + "The box cannot tell what such a connection is.",
        innocent=("Games, calls, file sharing and updates often look like this.",),
    ),
    FindingKind.HIDDEN_NAMES: Kind(
        one="{who} mostly uses addresses that nothing named",
        many="Most of what some devices use was not named, {n} findings",
        why=_SIGNS + "The less is named, the less the findings about this device can show.",
        innocent=(
            "Calls, games and shared updates go to addresses without names.",
            "The device may have learnt the names before the box began to listen.",
        ),
    ),
    FindingKind.DEVICE_BEHIND: Kind(
        one="Another device may use the internet through {whom}",
        many="Other devices may use the internet through devices in this home, {n} findings",
        why="Under {under}, devices in this home are to be registered. A device behind another one is not seen "
        "on its own: the box would take what it does for the other one's.",
        innocent=(
            "A computer that runs another system inside it looks the same.",
            "A watch, a car or a games console often shares a phone's connection.",
        ),
    ),
    FindingKind.SECOND_ROUTER: Kind(
        one="{who} offers itself to others as a way to the internet",
        many="{n} devices offer themselves to others as a way to the internet",
        why=_SIGNS + "What other devices send that way may pass the box by.",
        innocent=("Wi-Fi extenders, speakers and computers do this without anyone meaning to.",),
    ),
    FindingKind.OTHER_DHCP: Kind(
        one="{who} hands out network addresses to other devices",
        many="{n} devices hand out network addresses to other devices",
        why=_SIGNS + "Devices that take such an address may not go through the box.",
        innocent=("A Wi-Fi extender or a router bought second-hand may have been set up that way.",),
    ),
    FindingKind.UPSTREAM_DEVICE: Kind(
        one="A device seems to be connected on the provider's side of the box",
        many="{n} devices seem to be connected on the provider's side of the box",
        why=_SIGNS + "What is connected there does not go through the box.",
        innocent=("The provider's own equipment, a television box or a telephone is often there.",),
    ),
    FindingKind.SILENT_DEVICE: Kind(
        one="{who} is quieter than in its own usual weeks",
        many="{n} devices are quieter than in their own usual weeks",
        why="Under {under}, the box compares a registered device with its own usual weeks. "
        "Quiet alone does not show that anything else was used.",
        innocent=(
            "Illness, work, a visit elsewhere or a holiday; if you know of it, say so under “Away times”.",
            "The device may be broken, lost or replaced.",
        ),
    ),
    FindingKind.TREND: Kind(
        one="The use of {whom} has changed against its own usual weeks",
        many="The use of {n} devices has changed against their own usual weeks",
        why="Under {under}, the box compares a device with its own usual weeks, as a total and not page by page.",
        innocent=("Holidays, a new job or a new film service change how much a device is used.",),
    ),
    FindingKind.UNSEEN_USE: Kind(
        one="Another device may be in use instead of {whom}",
        many="Other devices may be in use instead of the registered ones, {n} findings",
        why="Under {under}, devices in this home are to be registered. These signs are weak one by one; "
        "the reasons below say which were seen.",
        innocent=(
            "The device may have lain at home while nobody used it.",
            "Two devices in one home can fall into a rhythm by chance.",
        ),
    ),
    FindingKind.AGENT_DISAGREES: Kind(
        one="What software on {whom} reports, and what the box saw, do not agree",
        many="What software on {n} devices reports, and what the box saw, do not agree",
        why="Under {under}, the box compares what the software reported with what it saw. "
        "One of the two did not see everything.",
        innocent=(
            "The device may have been used elsewhere.",
            "The two clocks may differ, and software may count what a device does by itself.",
        ),
    ),
}
"""Kinds that come of traffic and of silence."""
