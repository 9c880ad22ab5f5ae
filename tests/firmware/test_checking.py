"""Every rendering of every home is read by the program that it is for; and each program is shown to find a wrong line."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

import pytest

from firmware import checking, links, render, services, wireless
from firmware.checking import SECONDS, WITHIN, Verdict, check
from firmware.household import Household
from firmware.wireless import Secrets

PROGRAMS = ("nft", "dnsmasq", "chronyd", "sshd", "pppd", "hostapd")
RADIO = wireless.path("wlan0")


def installed(program: str) -> bool:
    return shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is not None


@pytest.mark.req("R5", "R57")
def test_the_programs_take_every_rendering_of_every_home(rendered: dict[str, str]) -> None:
    missing = [program for program in PROGRAMS if not installed(program)]
    verdict = check(rendered)
    assert verdict.faults == ()
    assert set(verdict.unasked) <= set(missing)


@pytest.mark.parametrize(
    ("program", "name", "path", "right", "wrong", "said"),
    [
        ("nft", "wired", render.NFTABLES, "masquerade", "maskerade", "rror"),
        ("dnsmasq", "wired", render.DNSMASQ, "bind-dynamic", "bind-dynamik", "bad option"),
        ("chronyd", "wired", services.CHRONY, "rtcsync", "rtcsink", "Invalid"),
        ("sshd", "engineer", services.SHELL, "MaxAuthTries 3", "MaxAuthTries some", "line"),
        ("pppd", "pppoe", links.PPP_PEER, "lcp-echo-interval", "lcp-echo-pause", "unrecognized option"),
        ("hostapd", "wifi", RADIO, "wmm_enabled=1", "wmm_enabeld=1", "unknown configuration item 'wmm_enabeld'"),
        ("hostapd", "wifi", RADIO, "country_code=GB", "country_code=G", "Line"),
        ("hostapd", "wpa3", RADIO, "sae_pwe=2", "sae_pwe=x\nfoo=1", "unknown configuration item 'foo'"),
    ],
)
def test_a_wrong_line_is_found(
    homes: dict[str, Household],
    secrets: Secrets,
    *,
    program: str,
    name: str,
    path: str,
    right: str,
    wrong: str,
    said: str,
) -> None:
    if not installed(program):
        pytest.skip(f"{program} is not installed")
    files = render.render(homes[name], secrets=secrets, wan_tap=False)
    assert right in files[path]
    verdict = check({path: files[path].replace(right, wrong)})
    assert len(verdict.faults) == 1
    assert verdict.faults[0].startswith(f"{path}: {program} does not take it: ")
    assert said in verdict.faults[0]


def test_a_program_that_is_not_there_is_named_and_the_rest_is_asked(homes: dict[str, Household]) -> None:
    asked: list[str] = []

    def only_nft(words: Sequence[str]) -> tuple[int, str]:
        asked.append(words[0])
        if words[0] != "nft":
            raise FileNotFoundError(words[0])
        return 0, ""

    verdict = check(render.render(homes["wifi"]), run=only_nft)
    assert verdict == Verdict(unasked=("dnsmasq", "chronyd", "hostapd"))
    assert "nft" in asked


@pytest.mark.req("R57")
def test_a_program_that_hangs_finds_no_fault_and_costs_a_bounded_time(homes: dict[str, Household]) -> None:
    """A machine that has just been switched on is slow; without its rules a home has no internet."""
    clock = 0.0

    def hangs(words: Sequence[str]) -> tuple[int, str]:
        nonlocal clock
        clock += SECONDS
        raise subprocess.TimeoutExpired(words, SECONDS)

    verdict = check(render.render(homes["wifi"]), run=hangs, now=lambda: clock)
    assert verdict == Verdict(unasked=("nft", "dnsmasq", "chronyd", "hostapd"))
    assert clock < WITHIN + SECONDS


def test_the_way_of_asking_touches_no_radio_and_no_bridge(homes: dict[str, Household]) -> None:
    """hostapd begins to serve what it is given: it must be given nothing that is there."""
    seen: list[str] = []

    def looked_at(words: Sequence[str]) -> tuple[int, str]:
        if words[0] == "hostapd":
            with open(words[1], encoding="utf-8") as file:  # noqa: PTH123 (as the program does)
                seen.append(file.read())
        return 1 if words[0] == "hostapd" else 0, ""

    assert check(render.render(homes["two-radios"]), run=looked_at).faults == ()
    assert len(seen) == 2
    for text in seen:
        lines = text.splitlines()
        assert "interface=gh-no-radio" in lines
        assert not [line for line in lines if line.startswith(("bridge=", "ctrl_interface", "interface=wlan"))]
        assert "wpa_key_mgmt=WPA-PSK WPA-PSK-SHA256" in lines


def test_a_radio_that_would_be_served_is_a_fault(homes: dict[str, Household]) -> None:
    verdict = check({RADIO: render.render(homes["wifi"])[RADIO]}, run=lambda _: (0, ""))
    assert "began to serve" in verdict.faults[0]


def test_a_program_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "SECONDS", 0.1)
    with pytest.raises(subprocess.TimeoutExpired):
        checking.run(["sh", "-c", "read -r line < /dev/zero"])


def test_a_file_that_no_program_is_asked_about_is_passed_over() -> None:
    assert check({"/etc/resolv.conf": "nonsense"}) == Verdict()
