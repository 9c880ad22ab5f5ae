"""Names hidden in a hello (ECH): what the DNS and several hellos tell where one hello alone does not.

Enters: messages of the DNS; hellos whose ECH is `unknown` by itself; in the order heard. Leaves: the same
hellos, judged again. Answers count where the household's resolver gave them: what another device sends as an
answer could make a third one's filler look real. Bounded: `MAX_NAMES` names looked up and as many outer names, `MAX_KEYS` published
keys, for `NAME_AGE` seconds of packet time; each name as a number only.

In this order:
- `real`: name in the clear and config id are those of a key that an HTTPS record published. Filler that
  agrees with both has a chance of 1 in 256, and only in a visit to the provider's public name.
- `grease`: the name in the clear was looked up. A real one shows its provider's public name, which nobody
  looks up; wrong where somebody does, and the record with the key was not heard.
- By repetition, where the DNS was not heard. Filler (RFC 9849 section 6.2) draws its config id anew for each
  connection and is repeated octet for octet when the server asks again; a real one has its provider's. So of
  connections that show the same name: two with different ids are filler (wrongly so where the provider
  changed its key between them, about hourly), three with one id are real (by chance once in 65,000).
- Else `unknown`.
"""

from __future__ import annotations

import msgspec

from appliance.sensor.packet import dns, ech, names, svcb, tls
from appliance.sensor.table import AgedTable

MAX_NAMES = 4096
"""Names remembered; one pushed out early is only judged without its past."""
MAX_KEYS = 256
NAME_AGE = 1800.0

_LOOK_UPS = frozenset({dns.A, dns.AAAA, dns.HTTPS})


class HiddenNames:
    """What was looked up and published, and config ids by outer name. Names are the interpreter's keyed hashes."""

    __slots__ = ("_keys", "_looked_up", "_shown")

    def __init__(self) -> None:
        self._shown: AgedTable[int, tuple[bytes, int, int]] = AgedTable(bound=MAX_NAMES, age=NAME_AGE)
        self._looked_up: AgedTable[int, bool] = AgedTable(bound=MAX_NAMES, age=NAME_AGE)
        self._keys: AgedTable[tuple[int, int], bool] = AgedTable(bound=MAX_KEYS, age=NAME_AGE)

    def __len__(self) -> int:
        return len(self._shown) + len(self._looked_up) + len(self._keys)

    def hear(self, message: dns.Message, ts: float, *, of_resolver: bool = True) -> None:
        """A question of the DNS, or an answer; `of_resolver`: whether nobody else can have sent that."""
        if message.response and not of_resolver:
            return
        for question in message.questions:
            if question.qtype in _LOOK_UPS:
                self._looked_up.put(hash(question.name), True, ts)
        for answer in message.answers if message.response else ():
            if isinstance(answer.data, svcb.Svcb) and answer.data.ech:
                for config, public_name in ech.published(answer.data.ech):
                    self._keys.put((hash(names.from_bytes(public_name)), config), True, ts)

    def judge(self, hello: tls.ClientHello, ts: float) -> tls.ClientHello:
        """The hello, with `ech` as it is with all that was heard before it in mind."""
        if hello.ech is not ech.Ech.UNKNOWN or hello.ech_body is None:
            return hello
        shown = ech.config_id(hello.ech_body)
        if shown is None:
            return hello
        verdict = self._judge(shown, hash(hello.sni), ts)
        return hello if verdict is hello.ech else msgspec.structs.replace(hello, ech=verdict)

    def _judge(self, shown: tuple[int, bytes], name: int, ts: float) -> ech.Ech:
        config, head = shown
        if self._keys.get((name, config), ts):
            return ech.Ech.REAL
        if self._looked_up.get(name, ts):
            return ech.Ech.GREASE
        last, same, different = self._shown.get(name, ts) or (b"", 0, 0)
        if last == head:
            return ech.Ech.GREASE
        if last:
            if last[5] == config:
                same += 1
            else:
                different += 1
        self._shown.put(name, (head, same, different), ts)
        # A provider's change of keys is a little change among much sameness.
        if different * 4 > same:
            return ech.Ech.GREASE
        return ech.Ech.REAL if same >= 2 else ech.Ech.UNKNOWN
