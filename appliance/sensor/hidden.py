"""Names hidden in a hello (ECH): what several hellos tell where one alone does not.

Enters: hellos whose ECH is `unknown` by itself, in the order heard. Leaves: the same hellos, judged again.
Bounded: `MAX_NAMES` outer names for `NAME_AGE` seconds of packet time, each as a number only.

Filler (RFC 9849 section 6.2) draws its config id anew for each connection and is repeated octet for octet
when the server asks again; a real one has its provider's config id. So of connections that show the same
name in the clear: two with different ids are filler (wrongly so where the provider changed its key between
them, about hourly), three with one id are real (by chance once in 65,000). The first is left `unknown`.
"""

from __future__ import annotations

import msgspec

from appliance.sensor.packet import ech, tls
from appliance.sensor.table import AgedTable

MAX_NAMES = 2048
"""Outer names remembered; one pushed out early is only judged without its past."""
NAME_AGE = 1800.0


class HiddenNames:
    """Config ids by outer name."""

    __slots__ = ("_names",)

    def __init__(self) -> None:
        self._names: AgedTable[int, tuple[bytes, int, int]] = AgedTable(bound=MAX_NAMES, age=NAME_AGE)

    def __len__(self) -> int:
        return len(self._names)

    def judge(self, hello: tls.ClientHello, ts: float) -> tls.ClientHello:
        """The hello, with `ech` as it is with those before it in mind."""
        if hello.ech is not ech.Ech.UNKNOWN or hello.ech_body is None:
            return hello
        shown = ech.config_id(hello.ech_body)
        if shown is None:
            return hello
        verdict = self._judge(shown, hello.server_name, ts)
        return hello if verdict is hello.ech else msgspec.structs.replace(hello, ech=verdict)

    def _judge(self, shown: tuple[int, bytes], outer_name: bytes | None, ts: float) -> ech.Ech:
        config, head = shown
        # The interpreter's keyed hash: the name itself need not be kept.
        name = hash(outer_name)
        last, same, different = self._names.get(name, ts) or (b"", 0, 0)
        if last == head:
            return ech.Ech.GREASE
        if last:
            if last[5] == config:
                same += 1
            else:
                different += 1
        self._names.put(name, (head, same, different), ts)
        # A provider's change of keys is a little change among much sameness.
        if different * 4 > same:
            return ech.Ech.GREASE
        return ech.Ech.REAL if same >= 2 else ech.Ech.UNKNOWN
