from __future__ import annotations

import contextlib
import shutil
import stat
from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from appliance.fitting import card as cards
from appliance.fitting import first
from appliance.fitting.places import Places
from firmware import layout
from firmware.household import load
from wire.claim import parse_card, parse_label
from wire.files import FileError


class CutError(Exception):
    """The power went."""


@pytest.mark.req("R2", "R69")
def test_first_boot_makes_all_that_a_box_needs_of_its_own(box: Any, service: Any) -> None:
    card = parse_card(box.places.at(layout.CARD_FILE).read_bytes())
    sticker = cards.load_sticker(box.places)
    assert sticker is not None
    label = cards.label(box.card, sticker)
    assert (card.tenant, card.site[:4], len(card.site)) == ("example", "box-", 14)
    assert parse_label(cards.link(box.operator, label)) == label
    house = load(box.places.at(layout.HOUSEHOLD_FILE))
    assert (house.wan.interface, house.lan.ports) == ("eth0", ("eth1",))
    assert house.wifi is not None
    assert house.wifi.ssid == f"Gatehouse setup {card.site[-4:]}"
    psk = box.places.at(layout.PASSPHRASE_FILE).read_text()
    assert psk == f"keyid=setup 00:00:00:00:00:00 {sticker.wifi_passphrase}\n"
    assert service.card == box.operator


@pytest.mark.req("R69")
def test_what_is_secret_is_its_owners_alone(box: Any) -> None:
    for path in (layout.SIGNING_KEY, layout.SEALING_KEY, layout.TLS_KEY, layout.LABEL_FILE, layout.PASSPHRASE_FILE):
        assert stat.S_IMODE(box.places.at(path).stat().st_mode) == 0o600, path


def test_a_second_start_changes_nothing(box: Any, now: float) -> None:
    before = box.everything()
    said = first.boot(box.places, now=now + 1000)
    assert box.everything() == before
    assert said == (f"This box is {box.site}; its socket for the internet is eth0.",)


@pytest.mark.req("R69")
def test_nothing_secret_is_said(unborn: Places, now: float) -> None:
    said = " ".join(first.boot(unborn, now=now))
    sticker = cards.load_sticker(unborn)
    assert sticker is not None
    assert sticker.code not in said
    assert sticker.wifi_passphrase not in said


@pytest.mark.req("R69")
def test_two_boxes_share_no_secret(new_box: Callable[[str], Any]) -> None:
    one, other = new_box("one"), new_box("other")
    shared = [
        name for name in ("keys/signing.pem", "keys/sealing.pem", "keys/tls.key", "keys/card.json", "keys/label.txt",
                          "state/warden/wifi.psk")
        if one.everything()[name] == other.everything()[name]
    ]  # fmt: skip
    assert shared == []
    assert one.site != other.site
    first_, second = (load(each.places.at(layout.HOUSEHOLD_FILE)).lan for each in (one, other))
    assert first_.network6 != second.network6
    assert first_.mac != second.mac


@pytest.mark.parametrize("gone", ["card.json", "label.txt", "signing.pem", "tls.key"])
def test_what_is_missing_of_a_first_boot_is_made_again_whole(box: Any, gone: str, now: float) -> None:
    before = box.site
    box.places.at(f"{layout.KEYS}/{gone}").unlink()
    first.boot(box.places, now=now)
    sticker = cards.load_sticker(box.places)
    assert sticker is not None
    card = parse_card(box.places.at(layout.CARD_FILE).read_bytes())
    assert card.code_sha256 == cards.code_digest(sticker.site, sticker.code)
    # A card that was shown to somebody stays the same; with another key, or no code to claim it, the box is another.
    assert (card.site == before) is (gone in {"card.json", "tls.key"})
    assert sticker.wifi_passphrase in box.places.at(layout.PASSPHRASE_FILE).read_text()


@pytest.mark.req("R2", "N15")
def test_a_cut_at_any_file_is_mended_by_the_next_start(
    unborn: Places, now: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of as many new boxes as there are renamings, each loses its power at another one, and is started again."""
    whole = Path.replace
    for survives in range(60):
        places = Places(root=tmp_path / f"cut-{survives}")
        shutil.copytree(unborn.root, places.root)
        left = survives

        def cut(path: Path, target: Path) -> Path:
            nonlocal left
            if left == 0:
                raise CutError
            left -= 1
            return whole(path, target)

        done = False
        with monkeypatch.context() as patched, contextlib.suppress(CutError):
            patched.setattr(Path, "replace", cut)
            first.boot(places, now=now)
            done = True
        first.boot(places, now=now)
        sticker, card = cards.load_sticker(places), cards.load_card(places)
        assert sticker is not None
        assert card is not None
        assert card.card.code_sha256 == cards.code_digest(sticker.site, sticker.code)
        assert sticker.wifi_passphrase in places.at(layout.PASSPHRASE_FILE).read_text()
        assert load(places.at(layout.HOUSEHOLD_FILE)).wan.interface == "eth0"
        if done:
            break
    assert survives == 14, "seven files, each written beside and then named"


def test_another_range_is_taken_where_the_router_before_uses_ours(box: Any) -> None:
    before = load(box.places.at(layout.HOUSEHOLD_FILE))
    house = first.household(box.places, before, taken=(before.lan.network,))
    assert not house.lan.network.overlaps(before.lan.network)
    assert house.lan.network6 == before.lan.network6
    assert first.household(box.places, house) == house, "an address once given out is kept"
    everything = (IPv4Network("0.0.0.0/0"),)
    assert first.household(box.places, house, taken=everything).lan.network.is_private


def test_a_new_port_is_taken_up_at_the_next_start(box: Any, now: float, add_port: Callable[..., None]) -> None:
    add_port(box.root, "eth2")
    add_port(box.root, "wlan1", radio=True)
    first.boot(box.places, now=now)
    house = load(box.places.at(layout.HOUSEHOLD_FILE))
    assert house.lan.ports == ("eth1", "eth2")
    assert house.wifi is not None
    assert [(radio.interface, radio.band, radio.channel) for radio in house.wifi.radios] == [
        ("wlan0", "2.4", 6),
        ("wlan1", "5", 36),
    ]


@pytest.mark.req("R5", "R57")
def test_what_the_power_cut_off_in_a_trial_is_not_written_anew(
    box: Any, now: float, add_port: Callable[..., None]
) -> None:
    """It would no longer be known for what was tried, and taken for good."""
    path = box.places.at(layout.HOUSEHOLD_FILE)
    tried, mark = path.read_bytes(), box.places.at(layout.HOUSEHOLD_TRIAL_FILE)
    mark.write_text("digest")
    add_port(box.root, "eth2")
    first.boot(box.places, now=now)
    assert path.read_bytes() == tried
    mark.unlink()
    first.boot(box.places, now=now)
    assert path.read_bytes() != tried


def test_without_the_operators_card_it_says_so(unborn: Places, now: float) -> None:
    unborn.at(layout.OPERATOR_FILE).unlink()
    with pytest.raises(FileError, match="write it on the card at the station"):
        first.boot(unborn, now=now)


def test_an_enrolled_box_is_left_alone(box: Any, now: float) -> None:
    box.places.at(layout.BOX_FILE).write_text("")
    box.places.at(layout.OPERATOR_FILE).unlink()
    assert first.boot(box.places, now=now) == ("This box is enrolled; nothing to do.",)
    assert cards.load_sticker(box.places) is None, "its label is of no more use"
