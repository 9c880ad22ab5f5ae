from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dns.edns
import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import dns as parser
from appliance.sensor.packet import dnssd
from appliance.sensor.packet.cursor import ParseError

Record = tuple[str, str, str]


def wire_of(
    *,
    answers: list[Record] | None = None,
    additionals: list[Record] | None = None,
    authorities: list[Record] | None = None,
    questions: list[tuple[str, str]] | None = None,
    response: bool = True,
    ttl: int = 120,
    options: list[Any] | None = None,
) -> bytes:
    message = dns.message.Message(id=0)
    message.flags = 0x8400 if response else 0
    for name, kind in questions or []:
        message.question.append(dns.rrset.from_text(name, 0, "IN", kind))
    for section, records in (
        (message.answer, answers),
        (message.authority, authorities),
        (message.additional, additionals),
    ):
        section.extend(dns.rrset.from_text(name, ttl, "IN", kind, value) for name, kind, value in records or [])
    if options:
        message.use_edns(0, options=options)
    wire: bytes = message.to_wire()
    return wire


def announced(**parts: Any) -> dnssd.Announcement:
    return dnssd.announcement(parser.parse(wire_of(**parts)))


PRINTER = "Hall\\032Printer._ipp._tcp.local."


@pytest.mark.req("R11")
def test_a_response() -> None:
    found = announced(
        answers=[("_ipp._tcp.local.", "PTR", PRINTER), ("_services._dns-sd._udp.local.", "PTR", "_http._tcp.local.")],
        additionals=[
            (PRINTER, "SRV", "0 0 631 Printer7.local."),
            (
                PRINTER,
                "TXT",
                '"txtvers=1" "ty=Example Jet 7" "usb_MFG=Example" "UUID=00000000-0000-4000-8000-000000000007"',
            ),
            ("Printer7.local.", "A", "192.0.2.7"),
        ],
    )
    assert found == dnssd.Announcement(
        offers=("_ipp._tcp", "_http._tcp"),
        instances=("hall printer",),
        host="printer7",
        texts=("_ipp._tcp ty=Example Jet 7", "_ipp._tcp usb_MFG=Example"),
        ids=("uuid:00000000-0000-4000-8000-000000000007",),
    )


@pytest.mark.req("R11")
def test_what_an_asker_knows_of_others_is_not_its_own() -> None:
    """RFC 6762 section 7.1."""
    found = announced(
        response=False,
        questions=[("_ipp._tcp.local.", "PTR"), ("_services._dns-sd._udp.local.", "PTR"), ("tv.local.", "A")],
        answers=[("_ipp._tcp.local.", "PTR", PRINTER)],
        additionals=[("other.local.", "A", "192.0.2.9")],
    )
    assert found == dnssd.Announcement(asks=("_ipp._tcp", "_services._dns-sd._udp"))


@pytest.mark.req("R11")
def test_a_probe_is_the_sender_s_own() -> None:
    """RFC 6762 section 8.1: the names it wants stand in the authority section."""
    found = announced(
        response=False,
        questions=[(PRINTER, "ANY"), ("printer7.local.", "ANY")],
        authorities=[(PRINTER, "SRV", "0 0 631 printer7.local."), ("printer7.local.", "A", "192.0.2.7")],
    )
    assert found == dnssd.Announcement(offers=("_ipp._tcp",), instances=("hall printer",), host="printer7")
    assert announced(response=False, questions=[(PRINTER, "ANY")]).asks == ("_ipp._tcp",)


def test_records_that_end_say_nothing() -> None:
    """RFC 6762 section 10.1: a time to live of zero takes a record back."""
    assert announced(answers=[("_ipp._tcp.local.", "PTR", PRINTER)], ttl=0) == dnssd.Announcement()


@pytest.mark.parametrize(("at", "value"), [(2, 0x94), (3, 0x03)])
def test_other_operations_and_response_codes_are_ignored(at: int, value: int) -> None:
    wire = bytearray(wire_of(answers=[("_ipp._tcp.local.", "PTR", PRINTER)]))
    wire[at] = value
    assert dnssd.announcement(parser.parse(bytes(wire))) == dnssd.Announcement()


@pytest.mark.parametrize(
    ("record", "offers", "instances", "texts", "ids"),
    [
        (
            ("Lamp._hap._tcp.local.", "TXT", '"id=02:00:5E:00:53:07" "md=Lamp 1" "ci=5" "sf=1" "pv=1.1"'),
            "_hap._tcp",
            ("lamp",),
            ("_hap._tcp md=Lamp 1", "_hap._tcp ci=5", "_hap._tcp sf=1"),
            ("homekit:02:00:5e:00:53:07",),
        ),
        (
            (
                "Example-00112233445566778899aabbccddeeff._googlecast._tcp.local.",
                "TXT",
                '"id=00112233445566778899AABBCCDDEEFF" "md=Example TV" "fn=Living Room"',
            ),
            "_googlecast._tcp",
            ("Living Room",),
            ("_googlecast._tcp md=Example TV",),
            ("cast:00112233445566778899aabbccddeeff",),
        ),
        (
            ("Den._airplay._tcp.local.", "TXT", '"deviceid=02:00:5E:00:53:08" "model=ExampleTV6,2" "pi=ABCDEF"'),
            "_airplay._tcp",
            ("den",),
            ("_airplay._tcp model=ExampleTV6,2",),
            ("airplay:02:00:5e:00:53:08", "airplay-pi:abcdef"),
        ),
        (
            ("02005E005308@Den._raop._tcp.local.", "TXT", '"am=ExampleTV6,2"'),
            "_raop._tcp",
            ("den",),
            ("_raop._tcp am=ExampleTV6,2",),
            ("airplay:02:00:5e:00:53:08",),
        ),
        (
            ("2906C908D115D362-8FC7772401CD0696._matter._tcp.local.", "TXT", '"SII=500"'),
            "_matter._tcp",
            (),
            (),
            ("matter:2906c908d115d362-8fc7772401cd0696",),
        ),
        (
            ("02:00:5e:00:53:09@fe80::1._apple-mobdev2._tcp.local.", "TXT", '""'),
            "_apple-mobdev2._tcp",
            (),
            (),
            ("apple-mobdev:02:00:5e:00:53:09",),
        ),
        (
            ("desk\\032[02:00:5e:00:53:0a]._workstation._tcp.local.", "TXT", '""'),
            "_workstation._tcp",
            ("desk",),
            (),
            ("mac:02:00:5e:00:53:0a",),
        ),
        (
            ("70-35-60-63.1\\032Den._sleep-proxy._udp.local.", "TXT", '""'),
            "_sleep-proxy._udp",
            ("den",),
            (),
            (),
        ),
        (
            ("amzn.dmgr:0011:22._amzn-wplay._tcp.local.", "TXT", '"n=Kitchen" "u=AbC"'),
            "_amzn-wplay._tcp",
            ("Kitchen",),
            (),
            ("amazon:abc",),
        ),
        (
            ("plug._example._tcp.local.", "TXT", '"id=plug-0007" "mac=02005E00530B" "Model=P1" "model=P2" "path=/x"'),
            "_example._tcp",
            ("plug",),
            ("_example._tcp Model=P1",),
            ("example:plug-0007", "mac:02:00:5e:00:53:0b"),
        ),
    ],
)
def test_services(
    record: Record, offers: str, instances: tuple[str, ...], texts: tuple[str, ...], ids: tuple[str, ...]
) -> None:
    found = announced(answers=[record])
    assert (found.offers, found.instances, found.texts, found.ids) == ((offers,), instances, texts, ids)


def test_a_cast_id_in_the_instance_alone() -> None:
    name = "Example-00112233445566778899aabbccddeeff._googlecast._tcp.local."
    found = announced(answers=[("_googlecast._tcp.local.", "PTR", name)])
    assert (found.instances, found.ids) == ((), ("cast:00112233445566778899aabbccddeeff",))


@pytest.mark.parametrize(
    ("records", "host"),
    [
        ([("desk.local.", "AAAA", "2001:db8::7")], "desk"),
        ([("K\\195\\188che.local.", "A", "192.0.2.7")], "küche"),
        ([("7.2.0.192.in-addr.arpa.", "PTR", "desk.local.")], "desk"),
        ([("7.2.0.192.in-addr.arpa.", "PTR", "other.local."), ("desk.local.", "A", "192.0.2.7")], "desk"),
        ([("desk.lan.example.", "A", "192.0.2.7")], None),
        ([("a.b.local.", "A", "192.0.2.7")], None),
        ([("desk.local.", "TXT", '"model=x"')], None),
    ],
)
def test_host_names(records: list[Record], host: str | None) -> None:
    found = announced(answers=records)
    assert (found.host, found.offers, found.texts) == (host, (), ())


def test_subtypes_and_wide_area_names() -> None:
    asked = announced(
        response=False,
        questions=[("_universal._sub._ipp._tcp.local.", "PTR"), ("_ipp._tcp.home.example.", "PTR")],
    )
    assert asked.asks == ("_ipp._tcp",)
    offered = announced(answers=[("_universal._sub._ipp._tcp.local.", "PTR", PRINTER)])
    assert (offered.offers, offered.instances) == (("_ipp._tcp",), ("hall printer",))


def test_whose_words_a_proxy_speaks() -> None:
    owner = dns.edns.GenericOption(4, b"\0\x01" + bytes.fromhex("00005e005307"))  # type: ignore[arg-type]
    assert announced(answers=[("desk.local.", "A", "192.0.2.7")], options=[owner]).owner == "00:00:5e:00:53:07"
    short = dns.edns.GenericOption(4, b"\0\x01\0")  # type: ignore[arg-type]
    assert announced(answers=[("desk.local.", "A", "192.0.2.7")], options=[short]).owner is None


def test_records_that_name_no_service_or_no_instance_make_nothing_up() -> None:
    """A text without an instance, an empty one, a pointer to no service: nothing is made up."""
    found = announced(
        answers=[
            ("_ipp._tcp.local.", "TXT", '"ty=Example" "ty=Other" "flag" "=x" "product="'),
            ("_ipp._tcp.local.", "PTR", "elsewhere.local."),
            ("elsewhere.local.", "PTR", PRINTER),
            ("elsewhere.local.", "SRV", "0 0 1 desk.local."),
            ("elsewhere.local.", "NS", "desk.local."),
        ]
    )
    assert found == dnssd.Announcement(offers=("_ipp._tcp",), texts=("_ipp._tcp ty=Example",))


def test_a_damaged_text_says_nothing() -> None:
    wire = wire_of(answers=[("i._ipp._tcp.local.", "TXT", '"ty=Example"')]).replace(b"\x0aty=", b"\x0bty=")
    assert dnssd.announcement(parser.parse(wire)) == dnssd.Announcement(offers=("_ipp._tcp",), instances=("i",))


def test_a_dot_inside_an_instance() -> None:
    assert dnssd.service("mr\\.\\032x\\\\._http._tcp.local") == ("_http._tcp", "mr. x\\")
    assert dnssd.service("_tcp.local") == (None, None)


def test_entries_are_bounded() -> None:
    count = parser.MAX_STRINGS
    strings = " ".join(f'"x{number}=1"' for number in range(count - 1))
    records = [(f"i{number}._t{number}._tcp.local.", "TXT", strings + ' "model=x"') for number in range(5)]
    found = announced(answers=records)
    assert (len(found.texts), found.overflow) == (5, 0)
    collector = dnssd._Collector()
    for number in range(dnssd.MAX_ITEMS + 3):
        collector._add("offers", f"_t{number}._tcp")
    collector._add("offers", "_t0._tcp")
    bounded = collector.announcement(None)
    assert (len(bounded.offers), bounded.overflow) == (dnssd.MAX_ITEMS, 3)


def test_values_fit_into_a_trait() -> None:
    long = "_" + "x" * 62
    found = announced(answers=[(f"i.{long}._tcp.local.", "TXT", '"model=' + "\\001" * 249 + '"')])
    assert len(found.texts[0]) <= 512
    assert found.texts[0].isprintable()


@pytest.mark.req("N8")
@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 255)), max_size=12), st.booleans())
def test_mutations(mutate: Callable[..., bytes], edits: list[tuple[int, int]], response: bool) -> None:
    records: list[Record] = [
        (PRINTER, "SRV", "0 0 631 printer7.local."),
        (PRINTER, "TXT", '"ty=Example" "UUID=7"'),
        ("desk\\032[02:00:5e:00:53:0a]._workstation._tcp.local.", "TXT", '"model=x"'),
        ("2906C908D115D362-8FC7772401CD0696._matter._tcp.local.", "TXT", '""'),
    ]
    wire = wire_of(response=response, answers=records if response else [], authorities=[] if response else records)
    try:
        message = parser.parse(mutate(wire, edits))
    except ParseError:
        return
    found = dnssd.announcement(message)
    every = [*found.offers, *found.asks, *found.instances, *found.texts, *found.ids, found.host or ""]
    assert all(entry.isprintable() and len(entry) <= 512 for entry in every)


@given(st.text(alphabet=st.sampled_from("_tcpudsb.\\0123456789 x"), max_size=80))
def test_any_name(name: str) -> None:
    kind, instance = dnssd.service(name)
    assert kind is None or kind.endswith(("_tcp", "_udp"))
    assert instance is None or instance.isprintable()
