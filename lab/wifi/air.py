"""The household's access point and the stations around it, as real as they are without a radio.

hostapd runs with the configuration that `firmware.render` gives, stations are wpa_supplicant, the radios mac80211_hwsim.
Only in a guest: it makes bridges and namespaces of the machine it runs on. In: a household, passphrases. Out: what the
programs say on their control sockets. Both run before all else: on one emulated processor an answer of the handshake
would else come too late. Bounded: every wait has `WAIT_SECONDS`; a station keeps its last `MAX_SAID` words.
"""

from __future__ import annotations

import hashlib
import os
import re
import select
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

WAIT_SECONDS = 180.0
"""For what takes a second or two, on an emulated processor of a machine that does much else."""
MANY_SECONDS = 240.0
"""For as many interfaces as there are: one is opened after the other."""
MAX_SAID = 2000
CONTROL = Path("/run/hostapd")
FIRST = ("nice", "-n", "-15")
_numbers = count(1)
_PAIR = re.compile(r"([A-Za-z_]+)(?:\[0\])?=(.*)")
_IDLE = frozenset({"DISCONNECTED", "INACTIVE", "SCANNING", "COMPLETED"})


class AirError(RuntimeError):
    """Something did not come about in time; the text says what."""


def run(*words: str) -> str:
    """What a program says.

    Raises:
        AirError: it failed.
    """
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=WAIT_SECONDS)
    if done.returncode:
        raise AirError(f"`{' '.join(words)}` failed: {done.stderr.strip()}")
    return done.stdout


def wait(ready: Callable[[], Any], what: str, seconds: float = WAIT_SECONDS) -> Any:
    """What `ready` gives, once it gives something.

    Raises:
        AirError: it gave nothing in time.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = ready()
        if found:
            return found
        time.sleep(0.1)
    raise AirError(f"waited {seconds:.0f} s for {what}")


def reaches(place: str, address: str) -> bool:
    """Whether an address answers one of three pings from a namespace."""
    words = ("ip", "netns", "exec", place, "busybox", "ping", "-c", "3", "-i", "0.3", "-W", "2", address)
    return subprocess.run(words, check=False, capture_output=True, timeout=WAIT_SECONDS).returncode == 0


class Control:
    """One control socket of hostapd or wpa_supplicant: questions, and with `events` what it says by itself."""

    def __init__(self, path: Path, *, events: bool = False) -> None:
        self._own = Path(f"/tmp/air-{os.getpid()}-{next(_numbers)}")  # noqa: S108 - a guest's own, gone with it
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._own))
        self._socket.connect(str(path))
        self._socket.settimeout(WAIT_SECONDS)
        self._said: deque[str] = deque(maxlen=MAX_SAID)
        if events:
            self.ask("ATTACH")

    def ask(self, command: str) -> str:
        """The answer."""
        self._socket.send(command.encode())
        while True:
            answer = self._socket.recv(8192).decode("utf-8", "replace")
            if not answer.startswith("<"):
                return answer.strip()
            self._said.append(answer)

    def facts(self, command: str) -> dict[str, str]:
        """The answer's `name=value` lines."""
        return dict(_PAIR.findall(self.ask(command)))

    def lines(self, word: str) -> list[str]:
        """What it has said with this in it, oldest first."""
        while select.select([self._socket], [], [], 0)[0]:
            self._said.append(self._socket.recv(8192).decode("utf-8", "replace"))
        return [line for line in self._said if word in line]

    def heard(self, word: str) -> int:
        """How often it has said something with this in it."""
        return len(self.lines(word))

    def listen(self, seconds: float) -> None:
        """Wait until it says something, so long at most."""
        if select.select([self._socket], [], [], seconds)[0]:
            self.heard("")

    def close(self) -> None:
        """Leave."""
        self._socket.close()
        self._own.unlink(missing_ok=True)


class AccessPoint:
    """hostapd on one radio."""

    def __init__(self, folder: Path, interface: str = "wlan0") -> None:
        self._folder = folder
        self._interface = interface
        self._process: subprocess.Popen[bytes] | None = None
        self._control: Control | None = None

    @property
    def ask(self) -> Control:
        """Its control socket."""
        if self._control is None:
            raise AirError("the access point is off")
        return self._control

    def start(self, configuration: str) -> None:
        """On the air with this configuration, in place of another."""
        self.stop()
        file = self._folder / f"{self._interface}.conf"
        file.write_text(configuration)
        with (self._folder / "hostapd.log").open("ab") as log:
            self._process = subprocess.Popen([*FIRST, "hostapd", "-t", str(file)], stdout=log, stderr=log)
        path = CONTROL / self._interface
        wait(path.exists, "hostapd's control socket")
        self._control = Control(path, events=True)
        wait(lambda: self.ask.facts("STATUS").get("state") == "ENABLED", "the access point to be on the air")

    def stop(self) -> None:
        """Off."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.terminate()
            self._process.wait(WAIT_SECONDS)
            self._process = None

    def station(self, mac: str) -> dict[str, str]:
        """What hostapd says of a station; empty where it knows none."""
        return self.ask.facts(f"STA {mac}")

    def joined(self, mac: str) -> bool:
        """Whether it was let in."""
        return "[AUTHORIZED]" in self.station(mac).get("flags", "")


@dataclass(slots=True, kw_only=True)
class Station:
    """One device."""

    interface: str
    mac: str
    ssid: str
    control: Control = field(init=False)

    def status(self) -> dict[str, str]:
        """What wpa_supplicant says of itself."""
        return self.control.facts("STATUS")

    def leave(self) -> None:
        """Off, until it is told to join again."""
        self.control.ask("DISCONNECT")

    def use(self, passphrase: str) -> None:
        """Join with a passphrase, or with another from now on."""
        self.control.ask(f"SET_NETWORK 0 psk {key(self.ssid, passphrase)}")
        self.go()

    def go(self) -> None:
        """Join, from the beginning: what it was told to wait for after it failed is forgotten."""
        self.control.ask("DISABLE_NETWORK 0")
        self.control.ask("ENABLE_NETWORK 0")
        self.control.ask("RECONNECT")

    def try_again(self) -> None:
        """Try at once, however often it failed, unless it is trying.

        A station can believe itself joined when the access point does not: it answered the last message of the
        handshake, the answer was lost, and what it is told in the clear it does not believe (IEEE 802.11w).
        """
        if self.status().get("wpa_state") in _IDLE:
            self.go()


class Stations:
    """All stations, in one wpa_supplicant for each set; they go with `stop`."""

    def __init__(self, folder: Path, *, ssid: str) -> None:
        self._folder = folder
        self._ssid = ssid
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, networks: Sequence[tuple[str, str]], *, place: str | None = None) -> list[Station]:
        """One for each (interface, words of its network); in a namespace of its own where `place` names one."""
        enter: tuple[str, ...] = ()
        if place is not None:
            run("ip", "netns", "add", place)
            enter = ("ip", "netns", "exec", place)
        words = [*enter, *FIRST, "wpa_supplicant", "-t"]
        sockets = self._folder / f"wpa{len(self._processes)}"
        made = []
        for number, (interface, network) in enumerate(networks):
            net = Path("/sys/class/net") / interface
            if place is not None:
                run("iw", "phy", (net / "phy80211" / "name").read_text().strip(), "set", "netns", "name", place)
                mac = run("ip", "-n", place, "-o", "link", "show", interface).split("link/ether ")[1].split()[0]
            else:
                mac = (net / "address").read_text().strip()
            file = self._folder / f"{interface}.station"
            file.write_text(f"pmf=1\nap_scan=1\np2p_disabled=1\nnetwork={{\n{network}\n}}\n")
            words += ["-N"] if number else []
            words += ["-C", str(sockets), "-i", interface, "-D", "nl80211", "-c", str(file)]
            made.append(Station(interface=interface, mac=mac, ssid=self._ssid))
        with (self._folder / "stations.log").open("ab") as log:
            self._processes.append(subprocess.Popen(words, stdout=log, stderr=log))
        for station in made:
            path = sockets / station.interface
            wait(path.exists, f"{station.interface}'s control socket", MANY_SECONDS)
            station.control = Control(path)
        return made

    def stop(self) -> None:
        """End them all."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(WAIT_SECONDS)
        self._processes.clear()


def key(ssid: str, passphrase: str) -> str:
    """What WPA2 makes of a passphrase (IEEE 802.11, J.4), in hexadecimal: done once here, not by each device."""
    return hashlib.pbkdf2_hmac("sha1", passphrase.encode(), ssid.encode(), 4096, 32).hex()


def network(ssid: str, passphrase: str, *, pmf: int = 1, waits: bool = False) -> str:
    """A network of WPA2 as wpa_supplicant is told; `waits`: until `Station.use` or `go`."""
    words = f'ssid="{ssid}"\npsk={key(ssid, passphrase)}\nkey_mgmt=WPA-PSK\nieee80211w={pmf}\nscan_freq=2437\n'
    return words + ("disabled=1\n" if waits else "")


def sae(ssid: str, passphrase: str, *, waits: bool = False) -> str:
    """The same of WPA3."""
    words = f'ssid="{ssid}"\nsae_password="{passphrase}"\nkey_mgmt=SAE\nieee80211w=2\nscan_freq=2437\n'
    return words + ("disabled=1\n" if waits else "")
