#!/usr/bin/env python3
"""Reckons what a box and a household-year cost from docs/costs.toml, and prints docs/costs.md (R73, R74).

`python tools/costs.py > docs/costs.md`; a test compares the file with what this prints.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HOURS_A_YEAR = 8766
GOAL = (30.0, 40.0)
"""Pounds a household-year (R74)."""
_HEAD = """# What it costs

Made by `python tools/costs.py > docs/costs.md` from the assumptions in [costs.toml](costs.toml). The prices are
assumptions of 2026, not offers: memory had become dear, and a quotation for a hundred boards will differ. Change them
there and make this anew. No part of it is billed to the person or the household (R73), except one that nobody billed
and that is theirs all the same: the electricity. An operator that wants to be fair pays it back.
"""
_TAIL = """
## What is not in it

- Officers' time to look at what the box found: that is the work itself, and it depends on how many households need a
  decision. A supervisor sees it under *Team*.
- Travel to the address; a tool that needs fewer visits saves it, one that finds more may cause some.
- A mobile connection where the home has no internet (R5): ask your provider, a few pounds a month.
- Lists of names that are bought. Those of the demonstration are not for use.
- A penetration test, a data protection assessment, and whoever signs the orders.
- Contracts: nothing here needs one of more than a year (R74); the software is open, and boards are bought.
"""


def reckon(given: dict[str, Any]) -> dict[str, float]:
    """All sums, in pounds, hours and kWh."""
    box, service, home, today, ours = (given[name] for name in ("box", "service", "home", "today", "ours"))
    parts = sum(item["price"] for item in given["part"])
    spread = parts / box["years"]
    spares = parts * box["lost_a_year"]
    servers = service["servers"] / service["households"]
    support = service["support_hours"] * service["support_rate"] / service["households"]
    energy = home["watts"] * HOURS_A_YEAR / 1000
    return {
        "parts": parts,
        "spread": spread,
        "spares": spares,
        "servers": servers,
        "support": support,
        "year": spread + spares + servers + support,
        "energy": energy,
        "energy_price": energy * home["unit_price"],
        "install_today": today["install_officers"] * today["install_hours"],
        "update_today": today["updates_a_year"] * today["update_officers"] * today["update_hours"],
        "install_ours": (ours["install_officers"] * ours["install_minutes"] + ours["station_minutes"]) / 60,
        "removal_ours": ours["install_officers"] * ours["removal_minutes"] / 60,
    }


def document(given: dict[str, Any]) -> str:
    """The whole of docs/costs.md."""
    sums, service, box = reckon(given), given["service"], given["box"]
    low, high = GOAL
    within = "within" if sums["year"] <= high else "above"
    rows = [
        _HEAD,
        "## A box",
        "",
        "| part | price |",
        "|---|---|",
        *(f"| {item['name']} | £{item['price']:.2f} |" for item in given["part"]),
        f"| **together** | **£{sums['parts']:.2f}** |",
        "",
        "What of these was never tried is in [hardware.md](hardware.md).",
        "",
        "## A household-year",
        "",
        "| what | a year |",
        "|---|---|",
        f"| the box, over {box['years']:g} years | £{sums['spread']:.2f} |",
        f"| spares: {box['lost_a_year']:.0%} of boxes lost or dead a year | £{sums['spares']:.2f} |",
        f"| servers, shared by {service['households']:,} households | £{sums['servers']:.2f} |",
        (
            f"| whoever keeps the fleet alive: {service['support_hours']:g} hours at £{service['support_rate']:.2f}, shared "
            f"| £{sums['support']:.2f} |"
        ),
        f"| **together** | **£{sums['year']:.2f}** |",
        "",
        (
            f"The aim is £{low:.0f} to £{high:.0f} (R74): this is {within} it. In the household's own bill: "
            f"{sums['energy']:.0f} kWh, £{sums['energy_price']:.2f}."
        ),
        "",
        "## Officers' hours",
        "",
        "| what | software on each device, as told of today | this box |",
        "|---|---|---|",
        f"| fitting | {sums['install_today']:g} | {sums['install_ours']:.2f}, with the work at the station |",
        f"| updates, a year | {sums['update_today']:g} | 0: they come by the network |",
        f"| taking away | not told | {sums['removal_ours']:.2f} |",
        "",
        "The hours of today are those that the research behind R4 and R74 reports: eight officer-hours a household. Ours are",
        "the longest that the requirements allow (R1, R6), not times of real visits: no officer has fitted one yet.",
        _TAIL,
    ]
    return "\n".join(rows)


def main() -> None:
    """Print the document."""
    sys.stdout.write(document(tomllib.loads((ROOT / "docs" / "costs.toml").read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()
