from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from appliance.confinement import Ability, Rights, probe

ALL = Ability(own_uids=True, groups=True, bounding=True, network=True, net_admin=True, net_raw=True)
NOTHING = Ability(own_uids=False, groups=False, bounding=False, network=False, net_admin=False, net_raw=False)


def proc(folder: Path, *, capabilities: int, uid_map: str, setgroups: str) -> Path:
    (folder / "status").write_text(f"Name:\tpython\nCapEff:\t{capabilities:016x}\n")
    (folder / "uid_map").write_text(uid_map)
    (folder / "setgroups").write_text(setgroups)
    return folder


def test_where_all_is_allowed_nothing_is_left_out() -> None:
    assert ALL.left_out() == ()


def test_what_is_left_out_is_said() -> None:
    said = " ".join(NOTHING.left_out())
    assert "share one user" in said
    assert "not cut off from the network" in said


def test_a_parser_gets_no_network_no_capability_and_its_own_user() -> None:
    words = " ".join(Rights(uid=901).prefix(ALL))
    assert words.startswith("unshare --net -- setpriv ")
    for part in ("--inh-caps=-all ", "--bounding-set=-all ", "--ambient-caps=-all ", "--reuid 901", "--clear-groups"):
        assert part in words
    assert "--no-new-privs" in words


def test_only_the_warden_keeps_net_admin() -> None:
    words = Rights(uid=902, network=True, net_admin=True).prefix(ALL)
    assert "unshare" not in words
    assert {"--inh-caps=-all,+net_admin", "--bounding-set=-all,+net_admin", "--ambient-caps=-all,+net_admin"} <= set(
        words
    )


def test_only_the_probe_keeps_net_raw() -> None:
    words = Rights(uid=906, network=True, net_raw=True).prefix(ALL)
    assert {"--inh-caps=-all,+net_raw", "--bounding-set=-all,+net_raw", "--ambient-caps=-all,+net_raw"} <= set(words)
    assert not any("net_raw" in word for word in Rights(uid=902, network=True, net_admin=True).prefix(ALL))
    assert not any("net_raw" in word for word in Rights(network=True, net_raw=True).prefix(NOTHING))


def test_one_mapped_uid_means_no_separate_users(tmp_path: Path) -> None:
    found = probe({901}, proc=proc(tmp_path, capabilities=(1 << 41) - 1, uid_map="0 1000 1\n", setgroups="deny"))
    assert not found.own_uids
    assert not found.groups
    assert found.bounding
    assert "--reuid" not in Rights(uid=901).prefix(found)


def test_without_capabilities_nothing_is_promised(tmp_path: Path) -> None:
    found = probe({901}, proc=proc(tmp_path, capabilities=0, uid_map="0 0 4294967295\n", setgroups="allow"))
    assert found.left_out()[0].startswith("the processes share one user")
    assert not any((found.own_uids, found.groups, found.bounding, found.net_admin))


@pytest.mark.parametrize("warden", [False, True])
def test_the_kernel_agrees(warden: bool) -> None:
    """Started for real, as far as this place allows: what is left of uid, capabilities and network."""
    ability = probe({65534})
    rights = Rights(uid=65534, network=warden, net_admin=warden)
    command = [*rights.prefix(ability), "cat", "/proc/self/status"]
    read = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    status = dict(line.split(":\t", 1) for line in read.splitlines() if ":\t" in line)
    assert status["NoNewPrivs"] == "1"
    wanted = 1 << 12 if warden and ability.net_admin else 0
    if ability.bounding:
        assert int(status["CapBnd"], 16) == wanted
        assert int(status["CapEff"], 16) == wanted
    if ability.own_uids:
        assert status["Uid"].split() == ["65534"] * 4
        assert status["Groups"].split() == []
    if ability.network and not warden:
        looked = subprocess.run(
            [*rights.prefix(ability), "readlink", "/proc/self/ns/net"],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        assert looked.stdout.strip() != str(Path("/proc/self/ns/net").readlink())
