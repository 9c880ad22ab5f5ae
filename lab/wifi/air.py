"""The household's access point and the stations around it, as real as they are without a radio.

hostapd runs with the configuration that `firmware.render` gives, stations are wpa_supplicant, the radios mac80211_hwsim.
Only in a guest: it makes bridges and namespaces of the machine it runs on. In: a household, passphrases. Out: what the
programs say on their control sockets. Bounded: every wait has `WAIT_SECONDS`; a station keeps its last `MAX_SAID` words.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

WAIT_SECONDS = 60.0
MANY_SECONDS = 240.0
"""For as many interfaces as there are: one is opened after the other, on an emulated processor."""
MAX_SAID = 500
CONTROL = Path("/run/hostapd")
_numbers = count(1)
_PAIR = re.compile(r"([A-Za-z_]+)(?:\[0\])?=(.*)")


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


class Control:
    """One control socket of hostapd or wpa_supplicant: questions, and with `events` what it says by itself."""

    def __init__(self, path: Path, *, events: bool = False) -> None:
        self._own = Path(f"/tmp/air-{os.getpid()}-{next(_numbers)}")  # noqa: S108 - a guest's own, gone with it
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._own))
        self._socket.connect(str(path))
        self._socket.settimeout(WAIT_SECONDS)
        self.said: deque[str] = deque(maxlen=MAX_SAID)
        self._events = events
        if events:
            self.ask("ATTACH")

    def ask(self, command: str) -> str:
        """The answer."""
        self._socket.send(command.encode())
        while True:
            answer = self._socket.recv(8192).decode("utf-8", "replace")
            if not answer.startswith("<"):
                return answer.strip()
            self.said.append(answer)

    def facts(self, command: str) -> dict[str, str]:
        """The answer's `name=value` lines."""
        return dict(_PAIR.findall(self.ask(command)))

    def heard(self, word: str) -> int:
        """How often it has said something with this in it."""
        self._socket.setblocking(False)
        try:
            while True:
                self.said.append(self._socket.recv(8192).decode("utf-8", "replace"))
        except BlockingIOError:
            pass
        finally:
            self._socket.settimeout(WAIT_SECONDS)
        return sum(1 for line in self.said if word in line)

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
        self.control: Control | None = None

    @property
    def ask(self) -> Control:
        """Its control socket."""
        if self.control is None:
            raise AirError("the access point is off")
        return self.control

    def start(self, configuration: str) -> None:
        """On the air with this configuration, in place of another."""
        self.stop()
        file = self._folder / f"{self._interface}.conf"
        file.write_text(configuration)
        with (self._folder / "hostapd.log").open("ab") as log:
            self._process = subprocess.Popen(["hostapd", str(file)], stdout=log, stderr=log)
        path = CONTROL / self._interface
        wait(path.exists, "hostapd's control socket")
        self.control = Control(path, events=True)
        wait(lambda: self.ask.facts("STATUS").get("state") == "ENABLED", "the access point to be on the air")

    def stop(self) -> None:
        """Off."""
        if self.control is not None:
            self.control.close()
            self.control = None
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
    control: Control = field(init=False)

    def status(self) -> dict[str, str]:
        """What wpa_supplicant says of itself."""
        return self.control.facts("STATUS")

    def up(self) -> bool:
        """Whether it has joined."""
        return self.status().get("wpa_state") == "COMPLETED"

    def use(self, passphrase: str) -> None:
        """Join with another passphrase from now on; what it was told to wait for is forgotten."""
        self.control.ask("DISCONNECT")
        self.control.ask(f'SET_NETWORK 0 psk "{passphrase}"')
        self.control.ask("ENABLE_NETWORK 0")
        self.control.ask("RECONNECT")

    def try_again(self) -> None:
        """Try at once, however often it failed, unless it is trying."""
        if self.status().get("wpa_state") in {"DISCONNECTED", "INACTIVE", "SCANNING"}:
            self.control.ask("ENABLE_NETWORK 0")
            self.control.ask("REASSOCIATE")


class Stations:
    """All stations, in one wpa_supplicant for each set; they go with `stop`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._places: list[str] = []

    def start(self, networks: Sequence[tuple[str, str]], *, place: str | None = None) -> list[Station]:
        """One for each (interface, words of its network); in a namespace of its own where `place` names one."""
        words: list[str] = []
        made = []
        sockets = self._folder / f"wpa{len(self._processes)}"
        if place is not None:
            run("ip", "netns", "add", place)
            self._places.append(place)
            words += ["ip", "netns", "exec", place]
        words += ["wpa_supplicant"]
        for number, (interface, network) in enumerate(networks):
            if place is not None:
                phy = Path(f"/sys/class/net/{interface}/phy80211/name").read_text().strip()
                run("iw", "phy", phy, "set", "netns", "name", place)
            enter = [] if place is None else ["ip", "netns", "exec", place]
            mac = run(*enter, "ip", "-o", "link", "show", interface).split("link/ether ")[1].split()[0]
            file = self._folder / f"{interface}.station"
            file.write_text(f"pmf=1\nap_scan=1\nnetwork={{\n{network}\n}}\n")
            words += (["-N"] if number else []) + [
                "-C",
                str(sockets),
                "-i",
                interface,
                "-D",
                "nl80211",
                "-c",
                str(file),
            ]
            made.append(Station(interface=interface, mac=mac))
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


def network(ssid: str, passphrase: str, *, pmf: int = 1, extra: str = "") -> str:
    """A network of WPA2 as wpa_supplicant is told."""
    return f'ssid="{ssid}"\npsk="{passphrase}"\nkey_mgmt=WPA-PSK\nieee80211w={pmf}\nscan_freq=2437\n{extra}'


def sae(ssid: str, passphrase: str) -> str:
    """The same of WPA3."""
    return f'ssid="{ssid}"\nsae_password="{passphrase}"\nkey_mgmt=SAE\nieee80211w=2\nscan_freq=2437\n'
