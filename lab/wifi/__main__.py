"""What the box makes of a Wi-Fi, from the first passphrase on the label to twenty devices: `python -m lab.wifi OUT`.

Runs inside a guest with 22 radios of memory, and nowhere else. Out: `OUT`/facts.json, what each part found, with the
keeper's database and what the processes said beside it; the part that failed last is named in it. Tests judge the facts.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware import names, wireless
from firmware.household import Household, Wifi, as_toml
from lab.wifi.air import MANY_SECONDS, AccessPoint, AirError, Station, Stations, network, run, sae, wait
from lab.wifi.box import Box
from wire.orders import EndPassphrase

SSID = "Example Home"
HOUSEHOLD, LAPTOP, PHONE, GUEST, LABEL = (
    "horse battery staple",
    "paper lamp orbit",
    "copper violin tide",
    "visitors welcome 7",
    "abcd-efgh-jkmn-pqrs",
)
STATIONS = 20
GUESSES = 12
TRY_SECONDS = 5.0
"""What failed is tried again after so long; wpa_supplicant by itself waits longer each time."""


class Scenario:
    """Everything, part by part; each part adds to `facts`."""

    def __init__(self, folder: Path, out: Path) -> None:
        self.out = out
        self.facts: dict[str, Any] = {}
        self.seconds: dict[str, float] = {}
        self.box = Box(folder)
        self.point = AccessPoint(folder)
        self.stations = Stations(folder)
        self.house = Household.model_validate(
            {
                "lan": {
                    "bridge": "br0",
                    "address": "192.0.2.1",
                    "network": "192.0.2.0/24",
                    "network6": "2001:db8:1::/64",
                },
                "wan": {"interface": "wan0"},
                "resolver": {"upstream": ["203.0.113.53"]},
                "wifi": {
                    "ssid": SSID,
                    "country": "GB",
                    "radios": [{"interface": "wlan0", "channel": 6}],
                    "passphrase_file": str(self.box.passphrases),
                },
            }
        )
        self.laptop: Station
        self.pair: list[Station]

    def part(self, name: str, work: Callable[[], dict[str, Any]]) -> None:
        """Run one part."""
        began = time.monotonic()
        self.facts["failed"] = name
        self._write()
        self.facts[name] = work()
        self.seconds[name] = round(time.monotonic() - began, 1)
        del self.facts["failed"]
        self._write()

    def _write(self) -> None:
        (self.out / "facts.json").write_text(json.dumps(self.facts | {"seconds": self.seconds}))

    def on_air(self, **changes: Any) -> None:
        """The access point as the firmware would set it up, with these settings of the Wi-Fi."""
        wifi = self.house.wifi
        if wifi is None:
            raise AirError("there is no Wi-Fi")
        house = self.house.model_copy(update={"wifi": Wifi.model_validate(wifi.model_dump() | changes)})
        made = wireless.render(house, wireless.Secrets(passphrase=HOUSEHOLD))
        self.point.start(made[wireless.path("wlan0")])

    def passphrases(self, **keys: str) -> None:
        """Hostapd's file as enrolment and first boot write it."""
        self.box.passphrases.parent.mkdir(parents=True, exist_ok=True)
        lines = (f"keyid={key_id.replace('_', '-')} 00:00:00:00:00:00 {text}\n" for key_id, text in keys.items())
        self.box.passphrases.write_text("".join(lines))

    def joins(self, station: Station) -> None:
        """Wait until a station has joined; one that lost the way is told to try again."""
        last = time.monotonic()

        def there() -> bool:
            nonlocal last
            if time.monotonic() - last > TRY_SECONDS:
                last = time.monotonic()
                station.try_again()
            return self.point.joined(station.mac)

        wait(there, f"{station.interface} to join", MANY_SECONDS)

    def key_of(self, mac: str) -> str | None:
        """The passphrase that the last CONNECTED event of a station names."""
        self.point.ask.heard("AP-STA-CONNECTED")
        lines = [line for line in self.point.ask.said if f"AP-STA-CONNECTED {mac}" in line]
        return lines[-1].partition("keyid=")[2].split()[0] if lines and "keyid=" in lines[-1] else None

    # --- the access point alone --------------------------------------------------------------

    def set_up(self) -> dict[str, Any]:
        """A box that is nobody's yet: the passphrase on its label."""
        self.passphrases(setup=LABEL)
        self.on_air()
        (self.laptop,) = self.stations.start([("wlan1", network(SSID, LABEL))])
        self.joins(self.laptop)
        facts = {"key": self.key_of(self.laptop.mac)}
        self.laptop.control.ask("DISCONNECT")
        return facts

    def isolated(self) -> dict[str, Any]:
        """Devices reach each other, or do not; those that protect their frames and those that cannot."""
        self.passphrases(household=HOUSEHOLD, laptop_1=LAPTOP)
        self.on_air()
        one = self.stations.start([("wlan2", network(SSID, HOUSEHOLD, pmf=2))], place="one")
        two = self.stations.start([("wlan3", network(SSID, HOUSEHOLD, pmf=0))], place="two")
        self.pair = [*one, *two]
        for number, (station, place) in enumerate(zip(self.pair, ("one", "two"), strict=True), 10):
            run("ip", "netns", "exec", place, "ip", "addr", "add", f"192.0.2.{number}/24", "dev", station.interface)
        self._wait_pair()
        flags = [self.point.station(station.mac).get("flags", "") for station in self.pair]
        open_ = self._reaches()
        self.on_air(isolation=True)
        self._wait_pair()
        return {"mfp": ["[MFP]" in item for item in flags], "open": open_, "isolated": self._reaches()}

    def _wait_pair(self) -> None:
        for station in self.pair:
            self.joins(station)

    @staticmethod
    def _reaches() -> bool:
        words = ("ip", "netns", "exec", "one", "busybox", "ping", "-c", "2", "-W", "2", "192.0.2.11")
        try:
            run(*words)
        except AirError:
            return False
        return True

    def wpa3(self) -> dict[str, Any]:
        """WPA3 beside WPA2: who is known by a passphrase."""
        self.on_air(security="wpa2-wpa3")
        self.laptop.use(LAPTOP)
        (newer,) = self.stations.start([("wlan4", sae(SSID, HOUSEHOLD))])
        self.joins(newer)
        self.joins(self.laptop)
        said = {
            "sae_key": self.key_of(newer.mac),
            "sae_akm": newer.status().get("key_mgmt"),
            "psk_key": self.key_of(self.laptop.mac),
        }
        newer.control.ask("DISCONNECT")
        return said

    # --- the box ---------------------------------------------------------------------------

    def enrolled(self) -> dict[str, Any]:
        """Enrolment left two passphrases; the keeper takes them up, and the laptop is known by its own."""
        self.on_air()
        self.box.start("warden")
        self.box.connect()
        wait(lambda: "attached to hostapd" in self.box.log("warden"), "the warden to listen", 60)
        self.joins(self.laptop)
        # Once more, now that the warden listens.
        self.laptop.use(LAPTOP)
        key = wait(lambda: self._key_in_database(self.laptop.mac), "the laptop in the database", 60)
        return {"key": key, "open": self._findings()}

    def shared(self) -> dict[str, Any]:
        """A second device with the laptop's passphrase, while the laptop is here."""
        (self.other,) = self.stations.start([("wlan5", network(SSID, LAPTOP))])
        self.joins(self.other)
        wait(lambda: "passphrase-shared" in self._findings(), "a finding", 30)
        return {"open": self._findings()}

    def guessed(self) -> dict[str, Any]:
        """Somebody tries passphrases."""
        (self.stranger,) = self.stations.start([("wlan6", network(SSID, "wrong wrong wrong"))])
        last = time.monotonic()

        def enough() -> bool:
            nonlocal last
            if time.monotonic() - last > 2:
                last = time.monotonic()
                self.stranger.try_again()
            return self.point.ask.heard(f"MISMATCH {self.stranger.mac}") >= GUESSES

        wait(enough, "tries", 90)
        listed = self.point.station(self.stranger.mac).get("keyid")
        self.stranger.control.ask("DISCONNECT")
        wait(lambda: "passphrases-tried" in self._findings(), "a finding", 40)
        return {
            "listed": listed,
            "key": self._key_in_database(self.stranger.mac),
            "tries": self.point.ask.heard(f"MISMATCH {self.stranger.mac}"),
            "findings": self._findings().count("passphrases-tried"),
        }

    def taken_up(self) -> dict[str, Any]:
        """An order brings a new passphrase: it counts at once, and nobody is dropped."""
        before = int(self.point.station(self.laptop.mac)["connected_time"])
        lost = self.point.ask.heard(f"AP-STA-DISCONNECTED {self.laptop.mac}")
        began = time.monotonic()
        outcome = self.box.set("phone-2", PHONE)
        wait(lambda: "keyid=phone-2 " in self.box.passphrases.read_text(), "the file", 20)
        taken = time.monotonic() - began
        self.stranger.use(PHONE)
        self.joins(self.stranger)
        return {
            "outcome": outcome,
            "taken": round(taken, 2),
            "key": self.key_of(self.stranger.mac),
            "before": before,
            "after": int(self.point.station(self.laptop.mac)["connected_time"]),
            "lost": self.point.ask.heard(f"AP-STA-DISCONNECTED {self.laptop.mac}") - lost,
        }

    def ended(self) -> dict[str, Any]:
        """An order ends it: its device is sent away and does not come back; the laptop stays."""
        lost = self.point.ask.heard(f"AP-STA-DISCONNECTED {self.laptop.mac}")
        tried = self.point.ask.heard(f"MISMATCH {self.stranger.mac}")
        outcome = self.box.order(EndPassphrase(key_id="phone-2")).outcome.value
        wait(lambda: not self.point.joined(self.stranger.mac), "the phone to be sent away", 30)
        wait(lambda: self.point.ask.heard(f"MISMATCH {self.stranger.mac}") > tried, "it to try again", 40)
        facts = {
            "outcome": outcome,
            "back": self.point.joined(self.stranger.mac),
            "lost": self.point.ask.heard(f"AP-STA-DISCONNECTED {self.laptop.mac}") - lost,
        }
        self.stranger.control.ask("DISCONNECT")
        return facts

    def sent_away(self) -> dict[str, Any]:
        """Somebody is deauthenticated: it leaves, and joins again by itself."""
        mac = self.laptop.mac
        left, came = (self.point.ask.heard(f"AP-STA-{word} {mac}") for word in ("DISCONNECTED", "CONNECTED"))
        self.point.ask.ask(f"DEAUTHENTICATE {mac}")
        wait(lambda: self.point.ask.heard(f"AP-STA-DISCONNECTED {mac}") > left, "it to leave")
        wait(lambda: self.point.ask.heard(f"AP-STA-CONNECTED {mac}") > came, "it to come back")
        return {"key": self.key_of(mac), "devices": self._devices(mac)}

    def many(self) -> dict[str, Any]:
        """Twenty devices at once."""
        fresh = self.stations.start([(f"wlan{number}", network(SSID, HOUSEHOLD)) for number in range(7, 24 - 2)])
        self.stranger.use(HOUSEHOLD)
        everybody = [*self.pair, self.laptop, self.other, self.stranger, *fresh]
        wait(
            lambda: sum(self.point.joined(each.mac) for each in everybody) >= STATIONS,
            "twenty to join",
            MANY_SECONDS,
        )
        wait(lambda: self.point.ask.facts("STATUS").get("num_sta") == str(STATIONS), "twenty", 60)
        return {"stations": int(self.point.ask.facts("STATUS")["num_sta"])}

    def visit(self) -> dict[str, Any]:
        """A visitor's passphrase ends at its time, though the keeper is dead."""
        outcome = self.box.set("visitor-1", GUEST, purpose="guest", seconds=60)
        wait(lambda: "keyid=visitor-1 " in self.box.passphrases.read_text(), "the file", 20)
        self.stranger.use(GUEST)
        self.joins(self.stranger)
        self.box.kill("keeper")
        wait(lambda: "keyid=visitor-1 " not in self.box.passphrases.read_text(), "the visit to end", 90)
        wait(lambda: not self.point.joined(self.stranger.mac), "the visitor to be sent away", 30)
        return {"outcome": outcome, "laptop": self.point.joined(self.laptop.mac)}

    # --- what was written down ----------------------------------------------------------------

    def _rows(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        database = self.box.folder / "state" / "keeper" / "keeper.db"
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            return connection.execute(statement, values).fetchall()

    def _key_in_database(self, mac: str) -> str | None:
        rows = self._rows("select key_id from address where mac = ?", mac)
        return None if not rows or rows[0][0] is None else str(rows[0][0])

    def _devices(self, mac: str) -> int:
        return int(self._rows("select count(distinct device_id) from address where mac = ?", mac)[0][0])

    def _findings(self) -> list[str]:
        return [str(kind) for (kind,) in self._rows("select kind from finding where state = 'open' order by kind")]


def main(out: Path) -> None:
    """Play it all."""
    folder = Path("/run/gw")
    folder.mkdir()
    Path(names.KNOWN_FOLDER).mkdir(parents=True)
    run("ip", "link", "add", "br0", "type", "bridge")
    run("ip", "addr", "add", "192.0.2.1/24", "dev", "br0")
    run("ip", "link", "set", "br0", "up")
    scenario = Scenario(folder, out)
    box = scenario.box
    household = folder / "household.toml"
    household.write_text(as_toml(scenario.house))
    box.leave({"household": HOUSEHOLD, "laptop-1": LAPTOP})
    box.start("keeper")  # takes its time to start; what comes first needs none of it
    try:
        scenario.part("set_up", scenario.set_up)
        scenario.part("isolated", scenario.isolated)
        scenario.part("wpa3", scenario.wpa3)
        scenario.part("enrolled", scenario.enrolled)
        scenario.part("shared", scenario.shared)
        scenario.part("guessed", scenario.guessed)
        scenario.part("taken_up", scenario.taken_up)
        scenario.part("ended", scenario.ended)
        scenario.part("sent_away", scenario.sent_away)
        scenario.part("many", scenario.many)
        scenario.part("visit", scenario.visit)
    finally:
        scenario.stations.stop()
        scenario.point.stop()
        box.stop()
        for name in ("keeper.log", "warden.log", "hostapd.log", "stations.log"):
            if (folder / name).exists():
                shutil.copy(folder / name, out / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
