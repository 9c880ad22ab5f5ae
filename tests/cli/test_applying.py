"""A change that is put in force, proved or taken back: scripts of what is around it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.cli import applying as module
from appliance.cli.applying import ApplyError, Applying, Places
from firmware import checking
from firmware.household import Household, load
from firmware.placing import Placing
from firmware.plan import Step
from wire.files import replace

HOME = """
[lan]
bridge = "br-lan"
address = "192.0.2.1"
network = "192.0.2.0/24"
network6 = "fd00:db8:1::/64"
[wan]
interface = "{wan}"
[resolver]
upstream = ["203.0.113.10"]
"""
WIFI = """
[wifi]
ssid = "Made-up home"
country = "GB"
radios = [{ interface = "radio0" }]
"""
GOOD, WRONG = HOME.format(wan="wan0"), HOME.format(wan="wan9")


class Around:
    """A world with a clock of its own, in which the internet is where `answers` says."""

    def __init__(self, answers: Callable[[str, float], str]) -> None:
        self.now = 0.0
        self.answers = answers
        self.told: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.wifi: Callable[[Household], str] = lambda _home: ""

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.meanwhile()

    def reaches(self, home: Household) -> str:
        return self.answers(home.wan.interface, self.now)

    def serves(self, home: Household) -> str:
        return self.wifi(home)

    def do(self, step: Step) -> str:
        self.told.append(str(step))
        return ""


def only_wan0(interface: str, _now: float) -> str:
    return "" if interface == "wan0" else "no resolver answers"


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """A box whose good household is in force. Programs are asked elsewhere (tests/firmware/test_checking.py)."""
    monkeypatch.setattr(checking, "check", lambda _files: checking.Verdict())
    places = Places(root=tmp_path / "root", household=tmp_path / "household.toml")
    places.household.write_text(GOOD)
    Applying(places, Around(only_wan0)).boot()
    return places


def in_force(places: Places) -> str:
    text = (places.root / "etc/nftables.conf").read_text()
    return text[text.index('define wan = "') :].split('"')[1]


@pytest.mark.req("R57")
def test_what_proves_itself_stays_and_is_the_good_one(places: Places) -> None:
    places.household.write_text(GOOD.replace("203.0.113.10", "203.0.113.11"))
    around = Around(only_wan0)
    outcome = Applying(places, around).change()
    assert outcome.proved
    assert outcome.changed == ["/etc/dnsmasq.d/gatehouse.conf"]
    assert around.told[0] == "restart dnsmasq.service"
    assert places.good.read_text() == places.household.read_text()
    assert not places.trial.exists()
    assert around.now == 0.0, "nobody waits for what is proved at once"


@pytest.mark.req("R57")
def test_what_cuts_the_box_off_is_taken_back_within_a_minute(places: Places) -> None:
    places.household.write_text(WRONG)
    around = Around(only_wan0)
    with pytest.raises(ApplyError, match="was taken back: no resolver answers"):
        Applying(places, around).change()
    assert around.now == module.PATIENCE == 60.0
    assert in_force(places) == "wan0"
    assert places.household.read_text() == GOOD, "the warden reads that file when it starts"
    assert places.refused.read_text() == WRONG
    assert around.told.count("load-rules") == 2, "there and back"
    assert not places.trial.exists()


@pytest.mark.req("R57")
def test_what_cuts_the_box_off_is_taken_back_also_where_nothing_more_can_be_written(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *rest: object, **named: int) -> None:
        if path != places.trial:
            raise OSError(28, "No space left on device")
        replace(path, *rest, **named)  # type: ignore[arg-type] # as it came

    monkeypatch.setattr(module, "replace", full)
    places.household.write_text(WRONG)
    with pytest.raises(ApplyError, match="was taken back"):
        Applying(places, Around(only_wan0)).change()
    assert in_force(places) == "wan0"
    assert places.household.read_text() == WRONG
    assert places.trial.exists(), "the next start does not use it"
    Applying(places, Around(only_wan0)).boot()
    assert in_force(places) == "wan0"


@pytest.mark.req("R57")
@pytest.mark.parametrize("online", [True, False])
def test_a_wifi_that_does_not_come_up_is_taken_back_where_it_was_up_before(places: Places, online: bool) -> None:
    """Also of a home without internet: its devices would not find the box any more."""
    places.household.write_text(GOOD + WIFI)
    around = Around(only_wan0 if online else lambda *_: "no resolver answers")
    around.wifi = lambda home: "" if home.wifi is None else "the Wi-Fi is not up (radio0)"
    with pytest.raises(ApplyError, match="was taken back: the Wi-Fi is not up"):
        Applying(places, around).change()
    assert around.now == module.PATIENCE
    assert places.household.read_text() == GOOD
    assert not (places.root / "etc/hostapd/radio0.conf").exists()


def test_a_radio_that_was_gone_before_takes_no_change_back(places: Places) -> None:
    places.household.write_text(GOOD + WIFI)
    around = Around(only_wan0)
    around.wifi = lambda _home: "the Wi-Fi is not up (radio0)"
    assert Applying(places, around).change().proved
    assert "Made-up home" in places.good.read_text()


def test_what_takes_a_while_has_its_minute(places: Places) -> None:
    places.household.write_text(WRONG)
    around = Around(lambda interface, now: "" if interface == "wan0" or now >= 50 else "not yet")
    assert Applying(places, around).change().proved
    assert 50 <= around.now < 52
    assert in_force(places) == "wan9"


@pytest.mark.req("R5")
def test_a_home_that_was_offline_may_be_given_another_way_out_unproved(places: Places) -> None:
    places.household.write_text(WRONG)
    outcome = Applying(places, Around(lambda *_: "no resolver answers")).change(seconds=3)
    assert not outcome.proved
    assert "was not reached before" in outcome.said[-1]
    assert in_force(places) == "wan9"


def test_a_file_that_is_to_take_the_place_does_so_only_with_the_change(places: Places) -> None:
    new = places.household.with_name("new.toml")
    new.write_text("no toml")
    with pytest.raises(ApplyError, match="not valid TOML"):
        Applying(places, Around(only_wan0)).change(new=new)
    assert places.household.read_text() == GOOD
    new.write_text(WRONG)
    with pytest.raises(ApplyError, match="taken back"):
        Applying(places, Around(only_wan0)).change(new=new)
    assert places.household.read_text() == GOOD
    changed = GOOD.replace("203.0.113.10", "203.0.113.11")
    new.write_text(changed)
    assert Applying(places, Around(only_wan0)).change(new=new).proved
    assert places.household.read_text() == places.good.read_text() == changed
    new.write_text(f"# the same, in other words\n{changed}")
    assert Applying(places, Around(only_wan0)).change(new=new).changed == []
    assert places.household.read_text() == places.good.read_text() == new.read_text()


@pytest.mark.req("R57")
def test_where_nothing_was_ever_proved_the_change_goes_back_to_what_was_there(places: Places) -> None:
    places.good.unlink()
    new = places.household.with_name("new.toml")
    new.write_text(WRONG)
    with pytest.raises(ApplyError, match="taken back"):
        Applying(places, Around(only_wan0)).change(new=new)
    assert places.household.read_text() == places.good.read_text() == GOOD
    assert in_force(places) == "wan0"


def test_nothing_to_change_disturbs_nobody(places: Places) -> None:
    around = Around(only_wan0)
    outcome = Applying(places, around).change()
    assert (outcome.changed, outcome.done, around.told) == ([], [], [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no toml", "not valid TOML"),
        (GOOD.replace("192.0.2.0/24", "192.0.2.0/30"), "no room"),
        (GOOD.replace('"wan0"', '"wan0; drop"'), "wan.interface"),
    ],
)
def test_what_cannot_be_used_changes_nothing(places: Places, text: str, said: str) -> None:
    before = Placing(places.root, lambda _: 0o644).files()
    places.household.write_text(text)
    with pytest.raises(ApplyError, match=said):
        Applying(places, Around(only_wan0)).change()
    assert Placing(places.root, lambda _: 0o644).files() == before
    assert not places.trial.exists()


def test_what_a_program_does_not_take_changes_nothing(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "check", lambda _files: checking.Verdict(faults=("nft: no",)))
    places.household.write_text(WRONG)
    with pytest.raises(ApplyError, match="nft: no"):
        Applying(places, Around(only_wan0)).change()
    assert in_force(places) == "wan0"


def test_an_engineer_confirms_by_hand(places: Places) -> None:
    places.household.write_text(WRONG)
    around = Around(only_wan0)
    around.meanwhile = lambda: None if around.now < 5 else (Applying(places, around).confirm(), None)[1]
    assert Applying(places, around).change(by_hand=True).proved
    assert in_force(places) == "wan9"
    assert places.good.read_text() == WRONG
    assert Applying(places, around).confirm() is False, "nothing waits for it now"


def test_an_engineer_who_is_cut_off_confirms_nothing(places: Places) -> None:
    places.household.write_text(WRONG)
    with pytest.raises(ApplyError, match="nobody said"):
        Applying(places, Around(lambda *_: "")).change(by_hand=True, seconds=10)
    assert in_force(places) == "wan0"


# --- at boot --------------------------------------------------------------------------------------------------------


@pytest.mark.req("R57")
@pytest.mark.parametrize("broken", ["", "no toml", GOOD.replace("192.0.2.0/24", "192.0.2.0/30")])
def test_a_file_that_cannot_be_used_at_boot_gives_way_to_the_last_good_one(places: Places, broken: str) -> None:
    places.household.write_text(broken)
    outcome = Applying(places, Around(only_wan0)).boot()
    assert in_force(places) == "wan0"
    assert "it is not used" in outcome.said[0]
    assert places.good.read_text() == GOOD


def test_with_no_file_that_can_be_used_what_the_image_brought_stays(tmp_path: Path) -> None:
    places = Places(root=tmp_path / "root", household=tmp_path / "household.toml")
    (places.root / "etc").mkdir(parents=True)
    (places.root / "etc/nftables.conf").write_text("of the image\n")
    with pytest.raises(ApplyError, match="cannot be read"):
        Applying(places, Around(only_wan0)).boot()
    assert (places.root / "etc/nftables.conf").read_text() == "of the image\n"


@pytest.mark.req("R57", "N15")
def test_a_change_that_the_power_cut_short_is_not_used_at_the_next_start(places: Places) -> None:
    places.household.write_text(WRONG)
    one = Applying(places, Around(only_wan0))
    one._mark(places.household)  # and the power goes
    outcome = Applying(places, Around(only_wan0)).boot()
    assert "never proved" in outcome.said[0]
    assert in_force(places) == "wan0"
    assert places.household.read_text() == GOOD
    assert places.refused.read_text() == WRONG
    assert not places.trial.exists()


@pytest.mark.req("R57")
def test_at_boot_files_are_in_place_and_told_before_any_program_is_asked(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow machine's start may be ended while it asks: the home has its internet all the same."""
    places.household.write_text(WRONG)
    around = Around(only_wan0)
    seen: list[tuple[str, list[str]]] = []

    def check(_files: object) -> checking.Verdict:
        seen.append((in_force(places), list(around.told)))
        return checking.Verdict()

    monkeypatch.setattr(checking, "check", check)
    Applying(places, around).boot()
    assert seen == [("wan9", ["reload-units"])]
    Applying(places, around).boot()
    assert len(seen) == 1, "what was found good is not asked about at each start"


@pytest.mark.req("R57")
def test_what_a_program_does_not_take_at_boot_gives_way_to_the_last_good_one(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "check", lambda _files: checking.Verdict(faults=("nft: no",)))
    places.household.write_text(WRONG)
    outcome = Applying(places, Around(only_wan0)).boot()
    assert "nft: no" in outcome.said
    assert in_force(places) == "wan0"
    assert places.good.read_text() == GOOD


@pytest.mark.req("R57")
def test_with_no_other_file_one_that_a_program_does_not_take_is_better_than_none(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "check", lambda _files: checking.Verdict(faults=("hostapd: no",)))
    places.good.unlink()
    places.household.write_text(WRONG)
    outcome = Applying(places, Around(only_wan0)).boot()
    assert outcome.said[0] == "hostapd: no"
    assert in_force(places) == "wan9"
    assert not places.good.exists(), "nobody calls it good"


@pytest.mark.req("R57")
def test_a_data_partition_that_takes_nothing_more_costs_no_internet(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    places.household.write_text(WRONG + WIFI)
    around = Around(only_wan0)
    with monkeypatch.context() as patch:
        patch.setattr(module, "replace", full)
        outcome = Applying(places, around).boot()
    assert in_force(places) == "wan9"
    assert "start hostapd@radio0.service" in around.told
    assert "No space left" in outcome.said[-1]


@pytest.mark.req("R57", "N15")
def test_what_was_not_proved_is_not_used_where_it_cannot_be_taken_back(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    places.household.write_text(WRONG)
    Applying(places, Around(only_wan0))._mark(places.household)
    monkeypatch.setattr(module, "replace", full)
    outcome = Applying(places, Around(only_wan0)).boot()
    assert "could not be taken back" in outcome.said[0]
    assert in_force(places) == "wan0"


@pytest.mark.req("R57")
def test_without_the_passphrase_that_wpa3_needs_the_home_starts_without_wpa3(places: Places) -> None:
    places.household.write_text(GOOD + WIFI + 'security = "wpa2-wpa3"\n')
    outcome = Applying(places, Around(only_wan0)).boot()
    assert "without WPA3" in outcome.said[0]
    hostapd = (places.root / "etc/hostapd/radio0.conf").read_text()
    assert "wpa_key_mgmt=WPA-PSK\n" in hostapd


@pytest.mark.req("R57")
def test_with_no_file_at_all_the_home_has_internet_by_cable(places: Places) -> None:
    home = load(places.household)
    places.household.unlink()
    places.good.write_text("no toml")
    outcome = Applying(places, Around(only_wan0)).boot(lambda: home)
    assert outcome.said[-1] == "what fits any home is used"
    assert in_force(places) == "wan0"
    assert not places.household.exists()
    assert places.good.read_text() == "no toml", "what lies there is for an engineer to look at"


def test_nothing_is_waited_for_at_boot(places: Places) -> None:
    around = Around(lambda *_: "no resolver answers")
    Applying(places, around).boot()
    assert around.now == 0.0
    assert around.told == ["reload-units"]
