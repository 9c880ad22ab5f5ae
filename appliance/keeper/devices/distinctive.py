"""How distinctive a value is: a trait and its raw value in, 0 (all such devices) to 1 (one in the world) out.

Asked when the value is heard, before it is blinded: of a keyed hash nobody can tell any more. The
names that makers give by default come from how products introduce themselves, as their makers
document it and as anybody may see. Pure. Bounded: looks at no more than `appliance.traits.MAX_VALUE`
characters, with patterns that need time linear in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from types import MappingProxyType

from appliance.traits import MAX_VALUE, Sort, Trait, sort

HABIT = 0.1
"""How a device speaks is shared by all of a make."""
COMMON_NAME = 0.02
"""What devices of many makers are called."""
DEFAULT_NAME = 0.05
"""What a maker calls all units of a model."""
PERSONS_NAME = 0.6
"""A default with a given name in it: families have several, and given names repeat."""
CHOSEN_NAME = 0.8
"""Something else; somebody thought of it."""
NAME_WITH_ID = 0.95
"""A name with a random or serial part of at least six characters."""
UNKNOWN_KEY = 0.3
"""A passphrase: a household has few, and several devices may share one."""

_KIND = (
    r"i?phone|ipad|ipod|apple ?watch|watch|macbook(?: ?(?:air|pro))?|mac ?(?:mini|pro|studio|book)|imac|mac|"
    r"apple ?tv|homepod(?: ?mini)?|android|galaxy|pixel|tablet|phone|mobile|handy|telefon|smartphone|"
    r"laptop|notebook|desktop|computer|pc|windows(?: ?pc)?|chromebook|chrome ?os|"
    r"tv|smart ?tv|fernseher|televisor|bravia|roku|fire ?tv|chromecast|google ?home|nest|shield|webos ?tv|lgwebostv|"
    r"xbox|xbox ?one|playstation|ps[345]|switch|nintendo|steam ?deck|kindle|kobo|echo|alexa|amazon|sonos|"
    r"printer|scanner|camera|cam|ipcam|webcam|plug|bulb|lamp|light|hub|bridge|thermostat|speaker|doorbell|vacuum|"
    r"router|gateway|repeater|extender|ap|server|nas|device|host|client|user|admin|guest|home|unknown|none|null|"
    r"localhost|local|default|test|raspberry ?pi|raspbian|ubuntu|debian|fedora|arch|archlinux|manjaro|mint|kali|"
    r"linux|openwrt|espressif|lwip\d?|esp8266|esp32|tasmota|shelly|tuya|wlan\d?|wifi|network"
)
_DEFAULTS = re.compile(rf"(?:my |the |mein |mon |mi )?(?:{_KIND})(?: ?\(?\d{{1,3}}\)?)?")
# Brand or series, then words of a model: "galaxy s24 ultra", "redmi note 12", "sm g991b", "dcs 930l".
_MODELS = re.compile(
    r"(?:galaxy|pixel|redmi|xiaomi|mi|poco|oneplus|moto|motorola|nokia|huawei|honor|oppo|vivo|realme|nothing|sony|xperia|"
    r"samsung|lg|tcl|hisense|philips|panasonic|asus|acer|lenovo|dell|hp|hewlett|toshiba|msi|surface|thinkpad|ideapad|"
    r"epson|canon|brother|kyocera|lexmark|sm|gt|lm|cph|rmx|dcs|dsp|dch|hs|kl|tl|tapo|kasa|wemo|hue|ring|blink|arlo|"
    r"eufy|fritz|netgear|tplink|dlink|edimax|ednet|bose|jbl|denon|marantz|yamaha|fire|kindle|echo|nest|google|amazon|"
    r"apple|iphone|ipad|macbook|imac|mac|watch|android|chromebook|windows|playstation|xbox|nintendo|tv|smart)"
    r"(?:[a-z]?\d{1,5}[a-z]{0,3})?(?: [a-z0-9+]{1,16}){0,5}"
)
_PERSON = re.compile(rf"(?:[^ ]{{1,40}}s (?:{_KIND})|(?:{_KIND}) (?:von|de|di|van|af|d) ?[^ ]{{1,40}})(?: .{{0,30}})?")
# Six or more characters that hold a digit and are no model: serials, tails of an address, random names.
_ID = re.compile(r"(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{7,}|[0-9a-f]{6,}|\d{6,}")
_WINDOWS = re.compile(r"(?:desktop|laptop|win)-[a-z0-9]{7,11}")
_ZEROS = re.compile(r"0*|f*")
_SHAPES = ((_PERSON, PERSONS_NAME), (_MODELS, DEFAULT_NAME))
_UUID = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")


def distinctive(trait: Trait, value: str) -> float:
    """How much two devices would have to be one to show this same value, 0 to 1."""
    value = value[:MAX_VALUE].strip().lower()
    if not value:
        return 0.0
    if trait in _BY_TRAIT:
        return _BY_TRAIT[trait](value)
    return _name(value) if sort(trait) is Sort.ANNOUNCED else HABIT


def _name(name: str) -> float:
    plain = re.sub("['\u2019\u00b4`]s\\b", "s", name)
    plain = re.sub(r"[^\w+]+|_+", " ", plain).strip()  # \w: names of all scripts
    if len(plain) < 2:
        return 0.0
    if _WINDOWS.fullmatch(name) or _UUID.fullmatch(name):
        return NAME_WITH_ID
    if _DEFAULTS.fullmatch(plain):
        return COMMON_NAME
    if any(_ID.fullmatch(word) and _random(word) for word in plain.split(" ")):
        return NAME_WITH_ID
    return next((worth for pattern, worth in _SHAPES if pattern.fullmatch(plain)), CHOSEN_NAME)


def _random(word: str) -> bool:
    """Whether a word changes often enough between letters and digits, or is long enough, to be no model's name."""
    changes = sum(a.isdigit() != b.isdigit() for a, b in pairwise(word))
    return changes >= 3 or len(word) >= 10 or (len(word) >= 6 and not word.isalpha() and _hexadecimal(word))


def _hexadecimal(word: str) -> bool:
    return all(character in "0123456789abcdef" for character in word)


def _interface(digits: str) -> float:
    """RFC 4291 2.5.1: 64 bits; small numbers are set by hand and the same in every household."""
    try:
        number = int(digits, 16)
    except ValueError:
        return 0.0
    return 0.0 if number < 1 << 32 or len(digits) > 16 else 0.9


def _duid(digits: str) -> float:
    """RFC 8415 11 and RFC 6355: what follows the two octets of the type, and whether it is anything."""
    kind, rest = digits[:4], digits[4:]
    body = {
        "0001": rest[12:],  # hardware type 2, time 4, then an address: the time is of chance too
        "0002": rest[8:],  # enterprise number 4, then the enterprise's own
        "0003": rest[4:],  # hardware type 2, then an address
        "0004": rest,  # 128 bits
    }.get(kind, "")
    if len(body) < 12 or _ZEROS.fullmatch(body):
        return 0.0
    return 1.0


def _client(digits: str) -> float:
    """RFC 2132 9.14 and RFC 4361 6.1: type 255 is four octets and a DUID; other types a text or an address."""
    if digits.startswith("ff"):
        return _duid(digits[10:])
    if digits.startswith("00"):
        try:
            return _name(bytes.fromhex(digits[2:]).decode("utf-8", "replace").strip("\0").lower())
        except ValueError:
            return 0.0
    return 0.0 if len(digits) < 14 or _ZEROS.fullmatch(digits[2:]) else 0.9


def _identifier(value: str) -> float:
    """An id of a service: distinctive if it has enough digits that are not all alike."""
    digits = re.sub(r"[^0-9a-f]", "", value.rpartition("=")[2].partition(":")[2] or value)
    if len(digits) < 8:
        return 0.2
    # Sample code carries 00000000-... and 12345678-...; makers forget to change it.
    if len(set(digits)) < 4 or digits.startswith(("1234567", "01234567")):
        return 0.0
    return 1.0 if len(digits) >= 12 else 0.85


_BY_TRAIT: MappingProxyType[Trait, Callable[[str], float]] = MappingProxyType(
    {
        Trait.WIFI_KEY: lambda _: UNKNOWN_KEY,
        Trait.IP6_INTERFACE_ID: _interface,
        Trait.DHCP6_DUID: _duid,
        Trait.DHCP4_CLIENT_ID: _client,
        Trait.MDNS_ID: _identifier,
        Trait.SSDP_UUID: _identifier,
    }
)
