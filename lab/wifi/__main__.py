"""What the box makes of a Wi-Fi, from the first passphrase on the label to twenty devices: `python -m lab.wifi OUT`.

Runs inside a guest with `RADIOS` radios of memory, and nowhere else. Out: `OUT`/facts.json, what each part found, with
what the processes said beside it; the part that failed last is named in it. Tests judge the facts.
"""

from __future__ import annotations

import gc
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware import names
from lab.wifi.air import Station, network, reaches, sae, wait
from lab.wifi.scenario import GUEST, HOUSEHOLD, LABEL, LAPTOP, PHONE, SSID, WRONG, Scenario
from wire.base import Standing
from wire.orders import EndPassphrase, SetStanding

STATIONS = 20
RADIOS = 23
"""The access point's, those of the twenty, a visitor's and one that uses WPA3."""
GUESSES = 14
GUESS_SECONDS = 1.5
"""Who guesses and has been turned away begins anew so soon."""
VISIT_SECONDS = 12.0
"""How long a visit counts on a machine that has nothing else to do."""


class Play(Scenario):
    """Everything, part by part."""

    def __init__(self, folder: Path, out: Path) -> None:
        super().__init__(folder, out)
        self.laptop: Station
        self.newer: Station
        self.other: Station
        self.stranger: Station
        self.pair: list[Station]
        self._guessing = False
        self.pace = 1.0
        """How much longer than on a machine that has nothing else to do."""

    def wait(self, ready: Callable[[], Any], what: str) -> Any:
        """As `air.wait`; who guesses passphrases goes on meanwhile."""
        tried = nudged = 0.0

        def both() -> Any:
            nonlocal tried, nudged
            heard = self.point.ask.heard(f"MISMATCH {self.stranger.mac}")
            if self._guessing and time.monotonic() - nudged > GUESS_SECONDS:
                if heard == tried:
                    self.stranger.try_again()
                tried, nudged = heard, time.monotonic()
            return ready()

        return wait(both, what)

    # --- the access point alone --------------------------------------------------------------

    def set_up(self) -> dict[str, Any]:
        """A box that is nobody's yet: the passphrase on its label."""
        self.passphrases(setup=LABEL)
        self.on_air()
        self.laptop, self.newer, self.other, self.stranger = self.stations.start(
            [
                ("wlan1", network(SSID, LABEL, waits=True)),
                ("wlan4", sae(SSID, HOUSEHOLD, waits=True)),
                ("wlan5", network(SSID, LAPTOP, waits=True)),
                ("wlan6", network(SSID, WRONG, waits=True)),
            ]
        )
        began = time.monotonic()
        self.laptop.go()
        self.joins(self.laptop)
        self.pace = max(1.0, time.monotonic() - began)
        facts = {"key": self.key_of(self.laptop.mac)}
        self.laptop.leave()
        return facts

    def wpa3(self) -> dict[str, Any]:
        """WPA3 beside WPA2: who is known by a passphrase."""
        self.passphrases(household=HOUSEHOLD, laptop_1=LAPTOP)
        self.on_air(self.house_with(security="wpa2-wpa3"))
        self.newer.go()
        self.laptop.use(LAPTOP)
        self.joins(self.newer, self.laptop)
        said = {
            "sae_key": self.key_of(self.newer.mac),
            "sae_akm": self.newer.status().get("key_mgmt"),
            "psk_key": self.key_of(self.laptop.mac),
        }
        self.newer.leave()
        return said

    # --- the box ---------------------------------------------------------------------------

    def enrolled(self) -> dict[str, Any]:
        """Enrolment left two passphrases; the keeper takes them up, and the laptop is known by its own."""
        self.on_air()
        self.box.start("warden")
        self.pair = [
            *self.stations.start([("wlan2", network(SSID, HOUSEHOLD, pmf=2, waits=True))], place="one"),
            *self.stations.start([("wlan3", network(SSID, HOUSEHOLD, pmf=0, waits=True))], place="two"),
        ]
        self.box.connect()
        wait(lambda: "attached to hostapd" in self.box.log("warden"), "the warden to listen")
        wait(lambda: "connected to the keeper" in self.box.log("warden"), "the warden to find the keeper")
        for station in self.pair:
            station.go()
        self.laptop.use(LAPTOP)
        self.joins(self.laptop, *self.pair)
        key = wait(lambda: self.key_in_database(self.laptop.mac), "the laptop in the database")
        flags = [self.point.station(station.mac).get("flags", "") for station in self.pair]
        return {"key": key, "open": self.findings(), "mfp": ["[MFP]" in item for item in flags]}

    def held(self) -> dict[str, Any]:
        """A device is refused, and held by the rules that the warden has loaded; then it is let go.

        Meanwhile, somebody begins to guess passphrases.
        """
        self._guessing = True
        self.stranger.go()
        self.give_addresses()
        lost = self.point.ask.heard("AP-STA-DISCONNECTED")
        mac = self.pair[1].mac
        device = self.wait(lambda: self.device(mac), "the device in the database")
        said = ("rules are loaded", "rules are in order")  # the second where nft was too slow at first
        facts: dict[str, Any] = {
            "rules": self.wait(lambda: any(words in self.box.log("warden") for words in said), "the rules")
        }
        self.wait(lambda: all(self.reach().values()), "the two to reach each other and outside")
        refused = self.box.order(SetStanding(device_id=device, standing=Standing.REFUSED)).outcome.value
        self.wait(lambda: not reaches("two", "192.0.2.10"), "the device to be held")
        facts["held"] = self.reach()
        again = self.box.order(SetStanding(device_id=device, standing=Standing.HOUSEHOLD)).outcome.value
        self.wait(lambda: reaches("two", "192.0.2.10"), "it to be let go")
        facts |= {"outcomes": [refused, again], "free": self.reach()}
        return facts | {"lost": self.point.ask.heard("AP-STA-DISCONNECTED") - lost}

    def shared(self) -> dict[str, Any]:
        """A second device with the laptop's passphrase, while the laptop is here."""
        self.other.go()
        self.joins(self.other)
        self.wait(lambda: "passphrase-shared" in self.findings(), "a finding")
        return {"open": self.findings()}

    def guessed(self) -> dict[str, Any]:
        """Somebody tries passphrases."""
        mac = self.stranger.mac
        self.wait(lambda: self.point.ask.heard(f"MISMATCH {mac}") >= GUESSES, "tries")
        listed = self.wait(lambda: self.point.station(mac).get("keyid"), "the access point to list who tries")
        self._guessing = False
        tried = self.point.ask.heard(f"MISMATCH {mac}")
        self.stranger.leave()
        wait(lambda: "passphrases-tried" in self.findings(), "a finding")
        return {
            "listed": listed,
            "key": self.key_in_database(mac),
            "tries": tried,
            "findings": self.findings().count("passphrases-tried"),
        }

    def taken_up(self) -> dict[str, Any]:
        """An order brings a new passphrase: it counts at once, and nobody is dropped."""
        before = int(self.point.station(self.laptop.mac)["connected_time"])
        lost = self.point.ask.heard("AP-STA-DISCONNECTED")
        began = time.monotonic()
        outcome = self.box.set("phone-2", PHONE)
        wait(lambda: "keyid=phone-2 " in self.box.passphrases.read_text(), "the file")
        taken = time.monotonic() - began
        self.stranger.use(PHONE)
        self.joins(self.stranger)
        return {
            "outcome": outcome,
            "taken": round(taken, 2),
            "key": self.key_of(self.stranger.mac),
            "before": before,
            "after": int(self.point.station(self.laptop.mac)["connected_time"]),
            "lost": self.point.ask.heard("AP-STA-DISCONNECTED") - lost,
        }

    def ended(self) -> dict[str, Any]:
        """An order ends it: its device is sent away and does not come back; everybody else stays."""
        lost = self.point.ask.heard("AP-STA-DISCONNECTED")
        mac = self.stranger.mac
        left, tried = (self.point.ask.heard(f"{word} {mac}") for word in ("AP-STA-DISCONNECTED", "MISMATCH"))
        outcome = self.box.order(EndPassphrase(key_id="phone-2")).outcome.value
        wait(lambda: self.point.ask.heard(f"AP-STA-DISCONNECTED {mac}") > left, "the phone to be sent away")
        wait(lambda: self.point.ask.heard(f"MISMATCH {mac}") > tried, "it to try again")
        facts = {
            "outcome": outcome,
            "back": self.point.joined(mac),
            "others_lost": self.point.ask.heard("AP-STA-DISCONNECTED")
            - lost
            - (self.point.ask.heard(f"AP-STA-DISCONNECTED {mac}") - left),
        }
        self.stranger.leave()
        return facts

    def sent_away(self) -> dict[str, Any]:
        """Somebody is deauthenticated: it leaves, and joins again by itself."""
        mac = self.laptop.mac
        left, came = (self.point.ask.heard(f"AP-STA-{word} {mac}") for word in ("DISCONNECTED", "CONNECTED"))
        self.point.ask.ask(f"DEAUTHENTICATE {mac}")
        wait(lambda: self.point.ask.heard(f"AP-STA-DISCONNECTED {mac}") > left, "it to leave")
        wait(lambda: self.point.ask.heard(f"AP-STA-CONNECTED {mac}") > came, "it to come back")
        return {"key": self.key_of(mac), "devices": self.devices(mac)}

    def visited(self) -> dict[str, Any]:
        """A visitor comes with a dated passphrase; the keeper dies."""
        outcome = self.box.set("visitor-1", GUEST, purpose="guest", seconds=VISIT_SECONDS * self.pace)
        wait(lambda: "keyid=visitor-1 " in self.box.passphrases.read_text(), "the file")
        self.stranger.use(GUEST)
        self.joins(self.stranger)
        self.box.kill("keeper")
        return {"outcome": outcome, "key": self.key_of(self.stranger.mac)}

    def many(self) -> dict[str, Any]:
        """Twenty devices at once, with which the visitor's passphrase ends in its time."""
        count = STATIONS - len(self.pair) - 2
        fresh = self.stations.start([(f"wlan{number}", network(SSID, HOUSEHOLD)) for number in range(7, 7 + count)])
        everybody = [*self.pair, self.laptop, self.other, *fresh]
        self.joins(*everybody)
        return {"stations": sum(self.point.joined(each.mac) for each in everybody)}

    def visit_ended(self) -> dict[str, Any]:
        """It has ended, though the keeper is dead: the visitor was sent away, and nobody else."""
        mac = self.stranger.mac
        wait(lambda: "keyid=visitor-1 " not in self.box.passphrases.read_text(), "the visit to end")
        wait(lambda: not self.point.joined(mac), "the visitor to be sent away")
        self.stranger.leave()
        return {
            "visitor": self.point.joined(mac),
            "others": [self.point.joined(each.mac) for each in (self.laptop, self.other, *self.pair)],
        }

    def isolated(self) -> dict[str, Any]:
        """Devices are kept apart, as a setting of the household: router and outside are reached, neighbours are not."""
        self.box.kill("warden")
        house = self.house_with(isolation=True)
        self.write_house(house)
        self.on_air(house)
        self.box.start("warden")
        self.joins(*self.pair)
        wait(lambda: reaches("two", "192.0.2.1"), "the router")
        return self.reach()


def play(scenario: Play) -> None:
    """All parts, in their order."""
    for name in (
        *("set_up", "wpa3", "enrolled", "held", "shared", "guessed", "taken_up", "ended", "sent_away"),
        *("visited", "many", "visit_ended", "isolated"),
    ):
        scenario.part(name, getattr(scenario, name))


def main(out: Path) -> None:
    """Play it all."""
    gc.freeze()
    folder = Path("/run/gw")
    folder.mkdir()
    Path(names.KNOWN_FOLDER).mkdir(parents=True)
    scenario = Play(folder, out)
    scenario.lay_cables()
    scenario.box.leave({"household": HOUSEHOLD, "laptop-1": LAPTOP})
    scenario.box.start("keeper")  # takes its time to start; what comes first needs none of it
    try:
        play(scenario)
    finally:
        for name in ("keeper.log", "warden.log", "hostapd.log", "stations.log"):
            if (folder / name).exists():
                shutil.copy(folder / name, out / name)
        scenario.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
