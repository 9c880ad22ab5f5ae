"""What is the same in every home."""

from __future__ import annotations

import configparser
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from firmware import machine, render
from firmware.household import Household

Reviewed = Callable[[str, Mapping[str, str], Mapping[str, str]], None]


def all_files(board: machine.Board) -> dict[str, str]:
    return machine.render(board) | machine.boot(board, root="PARTUUID=5ca1ab1e-05")


def test_pi_is_the_reviewed_one(check_reviewed: Reviewed) -> None:
    check_reviewed("boards/pi4", all_files("pi4"), {})


def test_qemu_is_the_reviewed_one(check_reviewed: Reviewed) -> None:
    check_reviewed("boards/qemu", all_files("qemu"), all_files("pi4"))


def test_no_file_is_both_a_homes_and_a_boards(rendered: dict[str, str]) -> None:
    for board in machine.BOARDS:
        assert not set(all_files(board)) & set(rendered)


@pytest.mark.req("R55")
def test_the_journal_is_in_memory_and_small() -> None:
    parsed = configparser.ConfigParser()
    parsed.optionxform = str  # type: ignore[assignment,method-assign] # keys as they are written
    parsed.read_string(machine.render("pi4")["/etc/systemd/journald.conf.d/20-gatehouse.conf"])
    journal = parsed["Journal"]
    assert journal["Storage"] == "volatile"
    assert journal["RuntimeMaxUse"] == "32M"
    assert journal["ForwardToSyslog"] == "no"


@pytest.mark.req("R9")
def test_a_pi_that_hangs_is_started_again_in_the_time_that_its_hardware_counts() -> None:
    text = machine.render("pi4")["/etc/systemd/system.conf.d/20-gatehouse.conf"]
    assert "RuntimeWatchdogSec=14\n" in text


@pytest.mark.req("R57")
@pytest.mark.parametrize("board", machine.BOARDS)
def test_a_radio_that_comes_back_is_served_again(board: machine.Board) -> None:
    """Debian's unit is bound to its radio and ends with it."""
    rule = machine.render(board)["/etc/udev/rules.d/60-gatehouse-radios.rules"]
    assert 'ENV{SYSTEMD_WANTS}+="hostapd@$name.service"' in rule


@pytest.mark.parametrize("root", ["", "a b", "x\ninit=/bin/sh", "PARTUUID=1 rw", '"', "-x"])
def test_a_root_cannot_add_a_word(root: str) -> None:
    with pytest.raises(machine.BoardError, match="cannot stand"):
        machine.boot("pi4", root=root)


def test_the_kernels_line_is_one_line_and_names_the_slot() -> None:
    for board in machine.BOARDS:
        line = machine.boot(board, root="PARTUUID=5ca1ab1e-06")[machine.CMDLINE]
        assert line.count("\n") == 1
        assert {"root=PARTUUID=5ca1ab1e-06", "ro", "net.ifnames=0"} <= set(line.split())
        assert (machine.CONFIG in machine.boot(board, root="x")) == (board == "pi4")


def settings(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [line.partition("=")[0].strip() for line in lines]


def test_the_settings_that_must_be_there_are_known_to_this_kernel(homes: dict[str, Household]) -> None:
    """Those with a hyphen belong to modules that not every kernel has; systemd-sysctl(8) passes over them."""
    texts = [
        machine.render("pi4")["/etc/sysctl.d/91-gatehouse-machine.conf"],
        render.render(homes["wired"])[render.SYSCTL],
    ]
    wanted = [name for text in texts for name in settings(text) if not name.startswith("-")]
    assert len(wanted) > 30
    for name in wanted:
        path = name if "/" in name else name.replace(".", "/")
        # Interfaces of the box are not of this machine; conntrack is a module.
        path = path.replace("conf/eth0/", "conf/all/").replace("conf/br-lan/", "conf/all/")
        # The size of the neighbour table is the machine's: a namespace of its own does not show it.
        elsewhere = path.startswith(("net/netfilter/", "net/ipv4/neigh/default/gc_", "net/ipv6/neigh/default/gc_"))
        assert Path("/proc/sys", path).exists() or elsewhere, name


def test_each_line_of_settings_is_one_that_systemd_takes(homes: dict[str, Household]) -> None:
    """sysctl.d(5). The program itself is not asked: it sets what it reads, on whatever machine it is asked."""
    for text in (
        machine.render("pi4")["/etc/sysctl.d/91-gatehouse-machine.conf"],
        render.render(homes["wired"])[render.SYSCTL],
    ):
        for line in text.splitlines():
            assert re.fullmatch(r"|#.*|-?[a-z][A-Za-z0-9_./-]* = [|]?[/a-z0-9]+", line), line
