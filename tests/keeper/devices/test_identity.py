from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.devices import identity
from appliance.keeper.devices import likelihoods as ratio
from appliance.keeper.devices.identity import MAX_SPANS, Profile, compare, distinctive, overlap, spoken
from appliance.traits import Trait

LEFT = 1000.0
HABITS: dict[Trait, tuple[str, ...]] = {
    Trait.DHCP4_PARAMETERS: ("1,3,6,15,26,28,51,58,59,43,114",),
    Trait.DHCP4_VENDOR_CLASS: ("android-dhcp-14",),
    Trait.TLS_JA4: ("ja4-one", "ja4-two"),
    Trait.MDNS_SERVICE: ("_spotify-connect._tcp",),
}
DUID = {Trait.DHCP6_DUID: ("0004" + "a1b2c3d4e5f60718" * 2,)}


def seen(
    device_id: str,
    first: float,
    last: float,
    *values: Mapping[Trait, tuple[str, ...]],
    local: bool = True,
    category: str | None = "phone",
    os_family: str | None = None,
    vendor: str | None = None,
    names: frozenset[str] | None = None,
    left_at: float | None = None,
    spans: tuple[tuple[float, float], ...] | None = None,
) -> Profile:
    evidence: dict[Trait, dict[str, float]] = {}
    for traits in values:
        for trait, texts in traits.items():
            evidence.setdefault(trait, {}).update({text: distinctive(trait, text) for text in texts})
    return Profile(
        device_id=device_id,
        evidence=evidence,
        local=local,
        category=category,
        os_family=os_family,
        vendor=vendor,
        names=names,
        first_seen=first,
        last_seen=last,
        left_at=left_at,
        spans=((first, last),) if spans is None else spans,
    )


def name(text: str) -> dict[Trait, tuple[str, ...]]:
    return {Trait.DHCP4_HOST_NAME: (text,), Trait.MDNS_HOST: (text,)}


@pytest.mark.req("R17", "N8")
def test_a_phone_that_left_six_minutes_before_another_of_its_kind_came_is_likely_not_that_one() -> None:
    old = seen("d-1", 0.0, LEFT, HABITS, name("Galaxy-S24"))
    new = seen("d-2", LEFT + 360, LEFT + 400, HABITS, name("Galaxy-S24"))
    likeness = compare(old, new, rivals=4)
    assert likeness.probability == 0.13, "as docs/identity.md works it out"
    assert "It calls itself by the same name, but many devices have that name." in likeness.against
    assert "It appeared 6 minutes after the other was last seen." in likeness.reasons
    assert any("two of one model" in words for words in likeness.against)


@pytest.mark.req("R17", "N8")
def test_an_identifier_of_its_own_makes_it_very_likely_and_is_named_for_later() -> None:
    old = seen("d-1", 0.0, LEFT, HABITS, DUID)
    new = seen("d-2", LEFT + 40000, LEFT + 40400, HABITS, DUID)
    likeness = compare(old, new)
    assert likeness.probability >= 0.9
    assert likeness.identifiers == ((Trait.DHCP6_DUID, DUID[Trait.DHCP6_DUID][0]),)
    assert not likeness.contradicted
    assert compare(old, new, rivals=64).probability >= 0.9, "also in a full house"


@pytest.mark.req("R47", "N8")
@pytest.mark.parametrize("text", ["Robins-iPhone", "sparrow", "DESKTOP-A1B2C3D", "iPhone"])
def test_names_and_kind_alone_never_reach_a_proposal(text: str) -> None:
    old = seen("d-1", 0.0, LEFT, HABITS, name(text))
    new = seen("d-2", LEFT + 1800, LEFT + 2000, HABITS, name(text))
    assert compare(old, new, rivals=1).probability < 0.5


@pytest.mark.req("R47", "N8")
def test_the_same_name_in_ten_protocols_is_one_name() -> None:
    everywhere = dict.fromkeys((Trait.NBNS_NAME, Trait.LLMNR_NAME, Trait.MDNS_INSTANCE, Trait.DHCP6_FQDN), ("sparrow",))
    once = compare(seen("d-1", 0, LEFT, name("sparrow")), seen("d-2", 9e3, 9e3, name("sparrow")))
    often = compare(
        seen("d-1", 0, LEFT, name("sparrow"), everywhere), seen("d-2", 9e3, 9e3, name("sparrow"), everywhere)
    )
    assert once.probability == often.probability


@pytest.mark.req("R17", "N8")
def test_a_name_of_its_own_with_an_address_change_at_once_is_a_proposal_but_not_near_certain() -> None:
    old = seen("d-1", 0.0, LEFT, HABITS, name("sparrow"))
    new = seen("d-2", LEFT + 30, LEFT + 400, HABITS, name("sparrow"))
    likeness = compare(old, new, rivals=2)
    assert 0.5 <= likeness.probability <= ratio.CAP_BEHAVIOUR < 0.9
    assert "It calls itself by the same name." in likeness.reasons
    assert "It appeared less than a minute after the other was last seen." in likeness.reasons


@pytest.mark.req("R17")
def test_what_all_devices_of_a_model_share_counts_once() -> None:
    more = {
        Trait.DHCP4_OPTIONS: ("53,55,57,60",),
        Trait.DHCP6_REQUESTED: ("23,24",),
        Trait.TCP_SYN: ("syn",),
        Trait.HTTP_USER_AGENT: ("agent",),
        Trait.MDNS_TXT: ("_device-info._tcp model=X",),
    }
    few = compare(seen("d-1", 0, LEFT, HABITS), seen("d-2", 9e3, 9e3, HABITS))
    many = compare(seen("d-1", 0, LEFT, HABITS, more), seen("d-2", 9e3, 9e3, HABITS, more))
    assert many.probability <= few.probability + 0.01
    assert many.probability < 0.2


@pytest.mark.req("R17", "N8", "R47")
def test_both_there_at_once_is_excluded_whatever_they_share() -> None:
    old = seen("d-1", 0.0, LEFT, HABITS, DUID, name("sparrow"))
    new = seen("d-2", LEFT - 200, LEFT + 50, HABITS, DUID, name("sparrow"))
    likeness = compare(old, new)
    assert likeness.probability == 0.0
    assert likeness.excluded == "Both were there at the same time."
    assert likeness.identifiers, "what they share is still told"
    late = seen("d-2", LEFT - 60, LEFT + 50, HABITS, DUID, name("sparrow"))
    assert compare(old, late).excluded is None, "a minute is clocks and frames on their way"


@pytest.mark.req("R17")
def test_an_older_device_that_came_back_since_is_excluded_only_by_real_overlap() -> None:
    old = seen("d-1", 0.0, 9000.0, spans=((0.0, 1000.0), (5000.0, 9000.0)))
    between = seen("d-2", 1030.0, 4000.0)
    assert compare(old, between).excluded is None
    assert "It appeared less than a minute after the other was last seen." in compare(old, between).reasons
    across = seen("d-2", 1030.0, 6000.0)
    assert compare(old, across).excluded is not None


@pytest.mark.req("R17", "N8")
def test_an_address_given_by_a_maker_is_another_device_unless_an_identifier_says_else() -> None:
    old = seen("d-1", 0.0, LEFT, HABITS, name("sparrow"))
    assert compare(old, seen("d-2", 2000.0, 2100.0, HABITS, name("sparrow"), local=False)).excluded is not None
    old = seen("d-1", 0.0, LEFT, HABITS, DUID)
    likeness = compare(old, seen("d-2", 2000.0, 2100.0, HABITS, DUID, local=False))
    assert likeness.probability >= 0.9
    assert any("another socket or radio" in words for words in likeness.against)


@pytest.mark.req("R17")
def test_a_device_that_used_its_maker_s_address_is_less_likely_to_have_a_made_up_one() -> None:
    new = seen("d-2", LEFT + 30, LEFT + 50, HABITS)
    fixed = compare(seen("d-1", 0.0, LEFT, HABITS, local=False), new)
    assert fixed.probability < compare(seen("d-1", 0.0, LEFT, HABITS), new).probability
    assert any("its maker gave it" in words for words in fixed.against)


@pytest.mark.req("R17", "N8")
@pytest.mark.parametrize(
    ("category", "os_family", "vendor", "words"),
    [
        ("tv", None, None, "It seems to be another kind of device."),
        ("phone", "Windows", None, "It seems to run other software."),
        ("phone", None, "Other Maker", "It seems to be of another maker."),
    ],
)
def test_a_contradiction_speaks_strongly_against(
    category: str, os_family: str | None, vendor: str | None, words: str
) -> None:
    old = seen("d-1", 0.0, LEFT, name("sparrow"), os_family="Android", vendor="Maker")
    new = seen("d-2", LEFT + 30, 9e3, name("sparrow"), category=category, os_family=os_family, vendor=vendor)
    likeness = compare(old, new)
    assert likeness.contradicted
    assert words in likeness.against
    assert likeness.probability < 0.3


@pytest.mark.req("R17")
def test_phone_and_tablet_are_easily_taken_for_each_other() -> None:
    likeness = compare(seen("d-1", 0.0, LEFT, DUID), seen("d-2", LEFT + 30, 9e3, DUID, category="tablet"))
    assert not likeness.contradicted
    assert likeness.probability >= 0.9


@pytest.mark.req("R17")
def test_another_name_another_number_and_another_password_speak_against() -> None:
    old = seen("d-1", 0.0, LEFT, HABITS, name("sparrow"), DUID, {Trait.WIFI_KEY: ("a",)})
    alike = seen("d-2", LEFT + 30, 9e3, HABITS)
    for other in (name("kingfisher"), {Trait.DHCP6_DUID: ("0004" + "00112233" * 4,)}, {Trait.WIFI_KEY: ("b",)}):
        likeness = compare(old, seen("d-2", LEFT + 30, 9e3, HABITS, other))
        assert likeness.probability < compare(old, alike).probability
        assert len(likeness.against) == 2
    same_key = compare(old, seen("d-2", LEFT + 30, 9e3, HABITS, {Trait.WIFI_KEY: ("a",)}))
    assert same_key.probability > compare(old, alike).probability


@pytest.mark.req("R17")
def test_a_generic_name_beside_one_of_its_own_is_not_another_name() -> None:
    old, new = seen("d-1", 0.0, LEFT, name("sparrow")), seen("d-2", 9e3, 9e3, name("iPhone"))
    assert "It calls itself by another name." not in compare(old, new).against


@pytest.mark.req("R17", "N8")
def test_names_asked_for_count_only_where_both_may_keep_them_and_others_do_not_ask() -> None:
    rare = frozenset(f"{number}.example.org" for number in range(30))
    common = frozenset(f"{number}.example.com" for number in range(30))
    old = seen("d-1", 0.0, LEFT, HABITS, names=rare | common)
    alike = seen("d-2", 9e3, 9e3, HABITS, names=rare | common)
    none = compare(old, seen("d-2", 9e3, 9e3, HABITS)).probability
    assert compare(old, alike, common=common).probability > none
    only_common = seen("d-2", 9e3, 9e3, HABITS, names=common)
    assert compare(old, only_common, common=common).probability == none
    others = seen("d-2", 9e3, 9e3, HABITS, names=frozenset(f"{number}.example.net" for number in range(30)))
    assert compare(old, others).probability < none


@pytest.mark.req("R17")
def test_the_more_devices_are_away_the_less_it_is_this_one() -> None:
    old, new = seen("d-1", 0.0, LEFT, HABITS), seen("d-2", LEFT + 30, 9e3, HABITS)
    chances = [compare(old, new, rivals=rivals).probability for rivals in (1, 4, 16, 64)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > chances[-1]
    assert compare(old, new, rivals=0).probability == chances[0]


@pytest.mark.req("R17", "N8")
def test_a_phone_that_dozed_before_it_left_changed_its_address_when_it_left() -> None:
    dozed = seen("d-1", 0.0, LEFT, HABITS, name("sparrow"), left_at=LEFT + 5000)
    new = seen("d-2", LEFT + 5004, 9e3, HABITS, name("sparrow"))
    likeness = compare(dozed, new, rivals=8)
    assert likeness.probability >= 0.5
    assert "It appeared less than a minute after the other was last seen." in likeness.reasons
    unknown = seen("d-1", 0.0, LEFT, HABITS, name("sparrow"))
    later = seen("d-1", 0.0, LEFT, HABITS, name("sparrow"), left_at=LEFT + 9000)
    assert compare(unknown, new, rivals=8).probability < 0.5
    assert compare(later, new, rivals=8) == compare(unknown, new, rivals=8), "it left after the other came"


@pytest.mark.req("R47", "R17")
def test_two_look_alikes_that_come_and_go_in_turn_are_no_proposal_in_a_household_of_some_devices() -> None:
    twin = seen("d-1", 0.0, LEFT, HABITS, name("iPhone"), left_at=LEFT)
    other = seen("d-2", LEFT + 80, 9e3, HABITS, name("iPhone"))
    assert compare(twin, other, rivals=4).probability < 0.5


@pytest.mark.req("R17")
def test_one_device_is_not_compared_with_itself() -> None:
    assert compare(seen("d-1", 0, LEFT), seen("d-1", 9e3, 9e3)).excluded is not None


def test_only_the_latest_stays_are_looked_at() -> None:
    spans = tuple((float(n), n + 0.5) for n in range(2 * MAX_SPANS))
    both = seen("d-1", 0, 1, spans=spans), seen("d-2", 0, 1, spans=spans)
    assert overlap(both[0].spans, both[1].spans) == MAX_SPANS / 2


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "less than a minute"), (60, "1 minute"), (360, "6 minutes"), (7200, "2 hours"), (86400, "1 day")],
)
def test_lengths_of_time_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert spoken(seconds) == words


TOKENS = st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1), max_size=4)
PROFILES = st.builds(
    Profile,
    device_id=st.sampled_from(["d-1", "d-2"]),
    evidence=st.dictionaries(st.sampled_from(Trait), TOKENS, max_size=8),
    local=st.booleans(),
    first_seen=st.floats(0, 1e9),
    last_seen=st.floats(0, 1e9),
    category=st.sampled_from([None, "phone", "tablet", "tv"]),
    names=st.none() | st.frozensets(st.sampled_from("abcdefghij")),
    spans=st.lists(st.tuples(st.floats(0, 1e9), st.floats(0, 1e9)), max_size=5).map(tuple),
)


@pytest.mark.req("N8", "R52")
@given(PROFILES, PROFILES, st.integers(0, 100))
def test_any_two_profiles_give_an_answer_within_its_bounds_in_words_that_fit(
    old: Profile, new: Profile, rivals: int
) -> None:
    likeness = compare(old, new, rivals=rivals)
    assert 0.0 <= likeness.probability <= ratio.CAP_IDENTIFIER
    assert (likeness.probability == 0.0) == (likeness.excluded is not None)
    assert likeness.identifiers or likeness.probability <= ratio.CAP_BEHAVIOUR
    said = (*likeness.reasons, *likeness.against)
    assert len(likeness.reasons) <= 16
    assert len(likeness.against) <= 16
    assert all(sentence.endswith(".") and len(sentence) <= 300 for sentence in said)
    assert not re.search(r"\b(MAC|DHCP|TLS|DUID|person|he|she|owner)\b", " ".join(said))
    assert identity.compare(old, new, rivals=rivals) == likeness
