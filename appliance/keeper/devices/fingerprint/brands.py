"""From a registered owner to a name that people know: legal forms and towns cut off.

Enters: the registry's spelling. Leaves: at most 40 characters. Says nothing of who made the device:
the owner of a prefix is often a maker of modules (see `rules/owner.toml`).
"""

from __future__ import annotations

import re

_LEGAL = re.compile(
    r"(?i)[\s,.]+(?:inc|incorporated|ltd|limited|llc|l\.l\.c|corp|corporation|co|company|gmbh|ag|kg|sa|s\.a|srl|s\.r\.l"
    r"|spa|s\.p\.a|bv|b\.v|nv|n\.v|ab|as|a/s|oy|oyj|plc|pte|pty|kk|k\.k|sas|se|holdings?|group|international|intl"
    r"|technolog(?:y|ies)|electronics?|systems|industrial|communications?|(?:mobile )?telecommunications?"
    r"|\(?(?:shenzhen|hangzhou|china|hong kong|hk|taiwan|usa|uk|suzhou|dongguan|shanghai|beijing)\)?)[.,]*$"
)
_TOWN = re.compile(r"(?i)^(?:shenzhen|hangzhou|guangdong|guangzhou|dongguan|shanghai|beijing|hui ?zhou|zhejiang)\s+")
_MOST_CUTS = 6
_SOLD_AS = {
    "brother industries": "Brother",
    "canon": "Canon",
    "hangzhou hikvision digital": "Hikvision",
    "lifi labs management": "LIFX",
    "lifi labs": "LIFX",
    "motorola mobility": "Motorola",
    "rakuten kobo": "Kobo",
    "seiko epson": "Epson",
}
"""Companies whose devices carry another name than theirs, in small letters."""


def brand(owner: str) -> str:
    """`D-Link International` becomes `D-Link`; what would leave nothing stays as it is."""
    name = " ".join(owner.split())
    for _ in range(_MOST_CUTS):
        shorter = _LEGAL.sub("", name).rstrip(" ,.&")
        if not shorter or shorter == name:
            break
        name = shorter
    name = _TOWN.sub("", name) or name
    if name.isupper() and len(name) > 5:
        name = name.title()
    return _SOLD_AS.get(name.casefold(), name)[:40]
