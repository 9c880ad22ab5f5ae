"""The checks of `gatehouse doctor`: settings in, one `Check` a fact out. Looks, never mends.

Each takes what it needs as arguments, so each can be tested alone; nothing here prints. Bounded:
the broker has `PATIENCE` seconds, and no file larger than an authority document is read.
"""

from __future__ import annotations

import ctypes
import errno
import shutil
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import netifaces

from appliance.keeper.authority import Judgement, Reason, Refusal, examine, judge
from appliance.keeper.lists.library import read_kept
from appliance.settings import BoxSettings, Broker
from firmware.household import Household
from wire.authority import MAX_DOCUMENT
from wire.files import FileError
from wire.keys import KeyFileError, read_sealing, read_signing, seal_key, verify_key
from wire.tls import client_context

PATIENCE = 5.0
ENOUGH_DISK = 500_000_000
"""Bytes; a month without the broker fits (findings and outbox of twenty devices)."""
_PROGRAMS = {"nft": "nftables", "dnsmasq": "dnsmasq-base", "unshare": "util-linux", "setpriv": "util-linux"}
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One fact about the box."""

    name: str
    ok: bool
    text: str
    """A plain sentence."""
    fix: str = ""
    """What to do, when it is not well."""


def all_checks(settings: BoxSettings, house: Household, *, now: float) -> Iterator[Check]:
    """Every check, in the order in which an engineer would mend."""
    yield from keys(settings)
    yield authority(settings, now=now)
    yield from lists(settings, now)
    yield from programs()
    yield from kernel()
    yield clock_state(_adjtimex())
    yield disk(settings.state_dir)
    yield from interfaces(house)
    yield broker(settings.broker)
    yield sockets(settings)


def keys(settings: BoxSettings) -> Iterator[Check]:
    """The box's own keys and the public keys it pins."""
    pinned = settings.keys
    faults = []
    for read, path in ((read_signing, pinned.signing_key), (read_sealing, pinned.sealing_key)):
        try:
            read(path)
        except KeyFileError as error:
            faults.append(str(error))
        else:
            if path.stat().st_mode & 0o077:
                faults.append(f"{path}: others may read this private key (chmod 600)")
    yield _of("keys", faults, "The box's own keys can be read.", "Put the key in place, or have the box make it anew.")
    faults = []
    for text in (*pinned.server_verify, *settings.authority.issuers):
        try:
            verify_key(text)
        except (KeyFileError, ValueError) as error:
            faults.append(str(error))
    try:
        seal_key(pinned.server_seal)
    except (KeyFileError, ValueError) as error:
        faults.append(str(error))
    yield _of(
        "pinned", faults, "The pinned keys of server and issuers are well formed.", "Copy them again into box.toml."
    )


def authority(settings: BoxSettings, *, now: float) -> Check:
    """Whether there is leave to keep records at `now` (Unix seconds)."""
    path = settings.authority.path
    fix = "Have an authority issued for this box (`gatehouse authority sign`) and put it there."
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_DOCUMENT + 1)
        issuers = [verify_key(text) for text in settings.authority.issuers]
    except OSError as error:
        text = f"There is no authority at {path} ({error.strerror}): nothing is kept about devices."
        return Check(name="authority", ok=False, text=text, fix=fix)
    except (KeyFileError, ValueError) as error:
        return Check(name="authority", ok=False, text=f"The issuers' keys are unusable: {error}.", fix="See pinned.")
    found = examine(raw, issuers=issuers, tenant=settings.tenant, site=settings.site)
    if isinstance(found, Refusal):
        return Check(name="authority", ok=False, text=f"The authority file does not count: {found.detail}.", fix=fix)
    judged: Judgement = judge(found, now)
    return Check(name="authority", ok=judged.reason is Reason.IN_FORCE, text=judged.sentence, fix=fix)


def lists(settings: BoxSettings, now: float) -> Iterator[Check]:
    """The lists of names, if there are any: by what the keeper keeps of them, whether it runs or not."""
    for item in settings.lists:
        kept = read_kept(settings.database.parent / "lists", item.id)
        if kept is None and item.path is not None and item.path.is_file():
            yield Check(name="lists", ok=True, text=f"The list {item.id} is at {item.path}; it is not in use yet.")
            continue
        if kept is None:
            text = f"The list {item.id} is not here."
            fix = "Start the box and look at `gatehouse lists show`; or leave the list out of box.toml."
            if item.path is not None:
                text, fix = f"{item.path} (list {item.id}) is missing.", "Put it there or leave it out of box.toml."
            yield Check(name="lists", ok=False, text=text, fix=fix)
            continue
        stale = kept.renew_by is not None and now > kept.renew_by
        age = "" if kept.published is None else f", {max(0, int((now - kept.published) / 86400))} days old"
        yield Check(
            name="lists",
            ok=not stale,
            text=f"The list {item.id} has {kept.size:,} entries, version {kept.about.version}{age}"
            f"{'; it is out of date' if stale else ''}.",
            fix="See why with `gatehouse lists show`, and ask its publisher.",
        )


def programs() -> Iterator[Check]:
    """Programs the processes run."""
    for program, package in _PROGRAMS.items():
        where = shutil.which(program, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        yield Check(
            name=program,
            ok=where is not None,
            text=f"{program} is at {where}." if where else f"{program} is missing.",
            fix=f"apt-get install {package}",
        )


def kernel(proc: Path = Path("/proc")) -> Iterator[Check]:
    """What the kernel must be able to do."""
    for name, path, what, module in (
        ("namespaces", "self/ns/net", "network namespaces", ""),
        ("nflog", "net/netfilter/nfnetlink_log", "NFLOG, which the taps are made of", "nfnetlink_log"),
        ("conntrack", "sys/net/netfilter/nf_conntrack_acct", "packet counts of connections", "nf_conntrack"),
    ):
        there = (proc / path).exists()
        yield Check(
            name=name,
            ok=there,
            text=f"The kernel has {what}." if there else f"The kernel does not show {what}.",
            fix=f"modprobe {module}" if module else "Use a kernel with CONFIG_NET_NS.",
        )


def clock_state(state: int) -> Check:
    """The clock, by what adjtimex(2) returned."""
    ok = state != _TIME_ERROR
    text = "The clock is synchronised." if ok else "The clock is not synchronised: times of records are uncertain."
    return Check(name="clock", ok=ok, text=text, fix="Let chrony or systemd-timesyncd run, and look at the WAN.")


def disk(folder: Path) -> Check:
    """Free space where the keeper writes."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return Check(
        name="disk",
        ok=free >= ENOUGH_DISK,
        text=f"{free // 1_000_000:,} MB are free at {folder}.",
        fix=f"Make room: {ENOUGH_DISK // 1_000_000} MB are needed.",
    )


def interfaces(house: Household) -> Iterator[Check]:
    """LAN and WAN as the household file says, by what the kernel has (netifaces)."""
    there = netifaces.interfaces()
    lan, address = house.lan.bridge, str(house.lan.address)
    ok = lan in there and address in _addresses(lan)
    text = (
        f"The LAN {lan} has the address {address}." if ok else f"The LAN {lan} with the address {address} is not there."
    )
    yield Check(name="lan", ok=ok, text=text, fix="Bring the LAN up, or mend [lan] in household.toml.")
    wan = house.wan.interface
    found = _addresses(wan) if wan in there else []
    text = f"The WAN {wan} has the address {found[0]}." if found else f"The WAN {wan} has no address."
    yield Check(
        name="wan", ok=bool(found), text=text, fix="Look at the cable to the modem, or mend [wan] in household.toml."
    )


def _addresses(interface: str) -> list[str]:
    families = netifaces.ifaddresses(interface)
    return [str(entry["addr"]) for entry in families.get(netifaces.AF_INET, []) if "addr" in entry]


def broker(settings: Broker) -> Check:
    """Whether the broker answers, and shows a certificate of the right authority."""
    where = f"{settings.host} port {settings.port}"
    try:
        context = client_context(ca=settings.ca, certificate=settings.certificate, key=settings.key)
        with (
            socket.create_connection((settings.host, settings.port), timeout=PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname=settings.host) as secure,
        ):
            version = secure.version()
    except FileError as error:
        return Check(
            name="broker", ok=False, text=f"{error}.", fix="Enrol the box again, or mend [broker] in box.toml."
        )
    except ssl.SSLError as error:
        text = f"The broker at {where} does not show the right certificate ({error.reason or error})."
        return Check(name="broker", ok=False, text=text, fix="Check ca in [broker], and that this is the right server.")
    except OSError as error:
        text = f"The broker at {where} is not reached ({error.strerror or error})."
        return Check(name="broker", ok=False, text=text, fix="Check the WAN, the server, and [broker] in box.toml.")
    return Check(name="broker", ok=True, text=f"The broker at {where} answers ({version}).")


def sockets(settings: BoxSettings) -> Check:
    """Whether the keeper and the warden listen. Asks without connecting: the warden would take it for a new sensor."""
    faults = []
    for name, path in (("keeper", settings.keeper_socket("status")), ("warden", settings.warden_socket)):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
            try:
                stream.connect(str(path))
            except OSError as error:
                if error.errno != errno.EPROTOTYPE:  # unix(7): somebody is there, for SOCK_SEQPACKET
                    faults.append(f"the {name} does not listen at {path} ({error.strerror})")
    return _of("processes", faults, "Keeper and warden listen.", "Start the box: gatehouse up --config box.toml")


def _adjtimex() -> int:
    """State of the kernel's clock, adjtimex(2); read only (`modes` is 0)."""
    return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(1024)))


def _of(name: str, faults: list[str], well: str, fix: str) -> Check:
    return Check(name=name, ok=not faults, text=well if not faults else "; ".join(faults) + ".", fix=fix)
