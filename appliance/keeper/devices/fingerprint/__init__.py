"""From what a device shows of itself to what it probably is: category, system, brand, model, how sure and why.

`shipped()` gives the rules. A trait goes in, hits come out (`Rules.hits`), and only the hits need to be
kept; `Rules.judge` says what all hits of a device amount to. Pure: no clock, no network, no store.
"""

from appliance.keeper.devices.fingerprint.categories import Category
from appliance.keeper.devices.fingerprint.change import change
from appliance.keeper.devices.fingerprint.rules import MAX_HITS, Rules, shipped
from appliance.keeper.devices.fingerprint.verdict import ClassChange, Hit, Verdict

__all__ = ["MAX_HITS", "Category", "ClassChange", "Hit", "Rules", "Verdict", "change", "shipped"]
