"""What each part of the Wi-Fi's scenario rests on: the household, the access point, devices by name, what was written down.

In: a folder for everything that runs, one for what is found. Out: `facts.json`, each part's facts under its name and the
part that failed last under `failed`. The household is the firmware's own, with documentation addresses; outside of it is
one machine in a namespace. Bounded: every wait as in `air`.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from firmware import wireless
from firmware.household import Household, Wifi, as_toml
from lab.wifi.air import MANY_SECONDS, AccessPoint, AirError, Station, Stations, reaches, run
from lab.wifi.box import Box

SSID = "Example Home"
HOUSEHOLD, LAPTOP, PHONE, GUEST, LABEL = (
    "horse battery staple",
    "paper lamp orbit",
    "copper violin tide",
    "visitors welcome 7",
    "abcd-efgh-jkmn-pqrs",
)
WRONG = "wrong wrong wrong"
ROUTER, OUTSIDE = "192.0.2.1", "198.51.100.1"
TRY_SECONDS = 5.0
"""What failed is tried again after so long; wpa_supplicant by itself waits longer each time."""


class Scenario:
    """The things; a part is a call that returns its facts."""

    def __init__(self, folder: Path, out: Path) -> None:
        self._folder, self._out = folder, out
        self.facts: dict[str, Any] = {}
        self._seconds: dict[str, float] = {}
        self._began = time.monotonic()
        self.box = Box(folder)
        self.point = AccessPoint(folder)
        self.stations = Stations(folder, ssid=SSID)
        self.house = Household.model_validate(
            {
                "lan": {
                    "bridge": "br0",
                    "address": ROUTER,
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
        self.write_house(self.house)

    def part(self, name: str, work: Callable[[], dict[str, Any]]) -> None:
        """Run one part."""
        began = time.monotonic()
        self.facts["failed"] = name
        self._write()
        self.facts[name] = work()
        self._seconds[name] = round(time.monotonic() - began, 1)
        del self.facts["failed"]
        self._write()

    def _write(self) -> None:
        self._seconds["all"] = round(time.monotonic() - self._began, 1)
        (self._out / "facts.json").write_text(json.dumps(self.facts | {"seconds": self._seconds}))

    # --- the network --------------------------------------------------------------------------

    def lay_cables(self) -> None:
        """The household's bridge, and a machine outside of it."""
        outside = f"{OUTSIDE}/24"
        run("ip", "link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0")
        run("ip", "addr", "add", f"{ROUTER}/24", "dev", "br0")
        run("ip", "link", "set", "br0", "up")
        run("ip", "netns", "add", "outside")
        run("ip", "link", "add", "wan0", "type", "veth", "peer", "name", "isp0", "netns", "outside")
        run("ip", "-n", "outside", "addr", "add", outside, "dev", "isp0")
        run("ip", "-n", "outside", "link", "set", "isp0", "up")
        run("ip", "addr", "add", "198.51.100.2/24", "dev", "wan0")
        run("ip", "link", "set", "wan0", "up")
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")

    def house_with(self, **changes: Any) -> Household:
        """The household with these settings of its Wi-Fi."""
        wifi = self.house.wifi
        if wifi is None:
            raise AirError("there is no Wi-Fi")
        return self.house.model_copy(update={"wifi": Wifi.model_validate(wifi.model_dump() | changes)})

    def write_house(self, house: Household) -> None:
        """What the warden reads when it starts."""
        (self._folder / "household.toml").write_text(as_toml(house))

    def on_air(self, house: Household | None = None) -> None:
        """The access point as the firmware sets it up."""
        made = wireless.render(house or self.house, wireless.Secrets(passphrase=HOUSEHOLD))
        self.point.start(made[wireless.path("wlan0")])

    def passphrases(self, **keys: str) -> None:
        """Hostapd's file as enrolment and first boot write it."""
        self.box.passphrases.parent.mkdir(parents=True, exist_ok=True)
        lines = (f"keyid={key_id.replace('_', '-')} 00:00:00:00:00:00 {text}\n" for key_id, text in keys.items())
        self.box.passphrases.write_text("".join(lines))

    def give_addresses(self) -> None:
        """To the two devices that are in namespaces of their own."""
        for place, interface, number in (("one", "wlan2", 10), ("two", "wlan3", 11)):
            run("ip", "-n", place, "addr", "add", f"192.0.2.{number}/24", "dev", interface)
            run("ip", "-n", place, "route", "add", "default", "via", ROUTER)

    # --- devices ------------------------------------------------------------------------------

    def joins(self, *stations: Station) -> None:
        """Wait until these have joined; one that lost the way is told to try again, as by a hand that turns it off and on."""
        began = tried = time.monotonic()
        left = list(stations)
        while left := [each for each in left if not self.point.joined(each.mac)]:
            self.point.ask.listen(0.5)
            now = time.monotonic()
            if now - began > MANY_SECONDS:
                raise AirError(f"{left[0].interface} did not join: {left[0].status()}")
            if now - tried > TRY_SECONDS:
                tried = now
                for station in left:
                    station.try_again()

    def key_of(self, mac: str) -> str | None:
        """The passphrase that the last CONNECTED event of a station names."""
        lines = self.point.ask.lines(f"AP-STA-CONNECTED {mac}")
        return lines[-1].partition("keyid=")[2].split()[0] if lines and "keyid=" in lines[-1] else None

    def reach(self) -> dict[str, bool]:
        """Whom the second of the pair reaches, and whether the first reaches it. Each is asked until all is as it stays."""
        return {
            "neighbour": reaches("two", "192.0.2.10"),
            "from_neighbour": reaches("one", "192.0.2.11"),
            "router": reaches("two", ROUTER),
            "outside": reaches("two", OUTSIDE),
        }

    # --- what was written down ----------------------------------------------------------------

    def _rows(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        database = self.box.folder / "state" / "keeper" / "keeper.db"
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return connection.execute(statement, values).fetchall()

    def key_in_database(self, mac: str) -> str | None:
        """The passphrase that the keeper knows a device by."""
        rows = self._rows("select key_id from address where mac = ?", mac)
        return None if not rows or rows[0][0] is None else str(rows[0][0])

    def device(self, mac: str) -> str | None:
        """The device that an address belongs to."""
        rows = self._rows("select device_id from address where mac = ?", mac)
        return str(rows[0][0]) if rows else None

    def devices(self, mac: str) -> int:
        """How many devices have had an address."""
        return int(self._rows("select count(distinct device_id) from address where mac = ?", mac)[0][0])

    def findings(self) -> list[str]:
        """Kinds of the open findings, one for each."""
        return [str(kind) for (kind,) in self._rows("select kind from finding where state = 'open' order by kind")]

    def close(self) -> None:
        """End all that runs."""
        self.stations.stop()
        self.point.stop()
        self.box.stop()
