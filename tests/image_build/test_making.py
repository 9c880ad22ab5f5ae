"""What the build decides before it runs a tool: packages, lock, command lines, scripts of the loaders, RAUC's settings."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from firmware import layout, machine

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["common", "pi4", "qemu"])
def test_every_debian_package_has_a_reason(here: Path, name: str) -> None:
    lines = [line for line in (here / f"packages/{name}.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines == sorted(lines)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9+.-]+ +# \S.+", line) for line in lines)


def test_a_package_without_a_reason_is_refused(tmp_path: Path) -> None:
    from imaging import debian
    from imaging.boards import BOARDS
    from imaging.run import Refused

    (tmp_path / "common.txt").write_text("systemd # PID 1\nhostapd\n")
    (tmp_path / "qemu.txt").write_text("")
    with pytest.raises(Refused, match="'hostapd'"):
        debian.packages(tmp_path, BOARDS["qemu"])


def test_boards_are_the_firmware_s_and_places_the_layout_s() -> None:
    from imaging import pipeline
    from imaging.boards import BOARDS

    assert set(BOARDS) == set(machine.BOARDS)
    assert pipeline.PROGRAM == layout.PROGRAM


def test_programs_for_the_box_agree_with_the_layout(here: Path) -> None:
    data = (here / "overlay/common/usr/libexec/gatehouse/data").read_text()
    assert f'MOUNT = Path("{layout.DATA}")' in data
    assert f'COMMON = Path("{layout.BOOT}")' in data


def test_only_what_runs_on_the_box_is_in_its_wheel() -> None:
    from imaging import python

    packages = python.packages_of(ROOT)
    settings = tomllib.loads(python.for_the_box((ROOT / "pyproject.toml").read_text(), packages))
    assert settings["tool"]["setuptools"]["packages"] == packages
    assert "py-modules" not in settings["tool"]["setuptools"]
    assert {name.split(".")[0] for name in packages} == {"appliance", "firmware", "wire"}
    assert "appliance.keeper.store" in packages


@pytest.mark.req("S5")
def test_what_the_box_needs_is_pinned_by_hash() -> None:
    from imaging import python
    from imaging.run import Refused

    names = python.needed((ROOT / "pyproject.toml").read_text(), python.EXTRA, "aarch64")
    assert {"pydantic", "pydantic-core", "cffi", "sqlite-utils", "scapy"} <= names
    assert not names & {"flask", "sqlalchemy", "pytest", "pip"}
    lock = python.cut_lock((ROOT / "requirements.lock").read_text(), names)
    assert set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE)) == names
    assert lock.count("==") <= lock.count("--hash=sha256:")
    with pytest.raises(Refused, match="does not pin nothing-of-that-name"):
        python.cut_lock(lock, frozenset({"nothing-of-that-name"}))


def test_a_package_is_asked_for_by_the_board_s_processor_and_not_by_this_one_s() -> None:
    from imaging import python
    from imaging.boards import BOARDS

    asked = "platform_machine == 'aarch64' and python_version < '3.12' and platform_release == ''"
    none = frozenset({""})
    assert python.applies(asked, none, BOARDS["pi4"].machine)
    assert not python.applies(asked, none, BOARDS["qemu"].machine)
    assert python.applies("", none, "riscv64")
    assert python.applies("extra == 'web'", frozenset({"", "web"}), "x86_64")
    assert not python.applies("extra == 'web'", none, "x86_64")
    for board in BOARDS.values():
        assert all(platform.endswith(f"_{board.machine}") for platform in board.platforms)


def test_what_pip_writes_down_names_no_folder_of_the_build() -> None:
    from imaging import python

    record = "b/x.py,sha256=1,2\na/y.py,sha256=3,4\na.dist-info/direct_url.json,sha256=5,6\na/y.pyi,,\n../../bin/z,,\n"
    assert python.as_kept(record) == "a/y.py,sha256=3,4\nb/x.py,sha256=1,2\n"


def lines() -> dict[str, str]:
    from imaging.boards import SLOTS, command_line, partuuid

    return {
        slot: command_line(slot, machine.boot("qemu", root=f"PARTUUID={partuuid(root)}")[machine.CMDLINE])
        for slot, (_, root) in SLOTS.items()
    }


@pytest.mark.req("R4")
def test_each_slot_is_started_from_its_own_root_and_starts_anew_where_it_fails() -> None:
    words = {slot: line.split() for slot, line in lines().items()}
    assert "root=PARTUUID=5ca1ab1e-05" in words["A"]
    assert "root=PARTUUID=5ca1ab1e-06" in words["B"]
    for slot, found in words.items():
        assert {"ro", "rootfstype=squashfs", "panic=10", "net.ifnames=0", f"rauc.slot={slot}"} <= set(found)
        assert not [word for word in found if word.startswith("init=")]


@pytest.mark.req("R4")
def test_grub_s_script_is_one_to_grub(tmp_path: Path) -> None:
    from imaging import boot

    script = tmp_path / "grub.cfg"
    script.write_text(boot.grub_settings(lines()))
    if shutil.which("grub-script-check") is None:
        pytest.skip("grub-script-check is not installed (tools/apt-image.txt)")
    assert subprocess.run(["grub-script-check", script], check=False).returncode == 0
    script.write_text(script.read_text() + "if [ 1 ]; then\n")
    assert subprocess.run(["grub-script-check", script], capture_output=True, check=False).returncode != 0


@pytest.mark.req("R4")
def test_u_boot_s_script_takes_a_try_before_it_starts_a_slot() -> None:
    from imaging import pi

    script = pi.boot_script(lines())
    assert script.index("setexpr BOOT_A_LEFT") < script.index("fatwrite") < script.index("booti")
    assert script.count("if ") - script.count("elif ") == len(re.findall(r"^\s*fi$", script, re.MULTILINE))
    assert all(f'  setenv bootargs "{line}"\n' in script for line in lines().values())  # one word: it takes sixteen
    assert "saveenv" not in script  # three words are remembered, never U-Boot's whole environment


@pytest.mark.req("R57")
def test_the_socket_on_the_board_comes_before_any_adapter() -> None:
    """Names of interfaces are given as they come (`net.ifnames=0`), and eth0 is the way to the internet."""
    from imaging.boards import BOARDS

    assert "net.ifnames=0" in machine.boot("pi4", root="PARTUUID=5ca1ab1e-05")[machine.CMDLINE]
    loaded = set(BOARDS["pi4"].modules)
    assert {"genet", "lan78xx"} <= loaded, "of Pi 4, 400 and CM4, and of Pi 3B+"
    assert not loaded & {"r8152", "ax88179_178a", "asix", "cdc_ether", "cdc_ncm", "rndis_host"}


@pytest.mark.req("R57")
def test_no_partition_that_does_not_mount_keeps_the_home_from_its_internet() -> None:
    """One that systemd requires would end the start in a shell that waits for somebody."""
    from imaging import tree

    for line in tree.fstab().splitlines():
        device, _, _, options, *_ = line.split()
        assert device == "tmpfs" or "nofail" in options.split(",")


def test_rauc_knows_two_slots_and_our_hand_on_the_loader() -> None:
    from imaging import tree
    from imaging.boards import BOARDS

    parser = configparser.ConfigParser()
    parser.read_string(tree.rauc_settings(BOARDS["qemu"]))
    assert parser["system"]["compatible"] == "gatehouse-qemu"
    assert parser["handlers"]["bootloader-custom-backend"] == "/usr/libexec/gatehouse/slot"
    for index, (slot, root, boot) in enumerate((("A", "05", "02"), ("B", "06", "03"))):
        assert parser[f"slot.rootfs.{index}"]["bootname"] == slot
        assert parser[f"slot.rootfs.{index}"]["device"].endswith(f"-{root}")
        assert parser[f"slot.boot.{index}"]["device"].endswith(f"-{boot}")
        assert parser[f"slot.boot.{index}"]["parent"] == f"rootfs.{index}"


def test_cleaning_leaves_no_identity_and_every_mount_point(tmp_path: Path) -> None:
    from imaging import secrets, tree

    for name in (
        "etc/machine-id", "etc/ssh/ssh_host_rsa_key", "etc/shadow-", "var/lib/systemd/random-seed", "var/log/x/y",
        "var/cache/apt/archives/a.deb", "boot/vmlinuz-6", "root/.bash_history", "run/x", "usr/bin/kept",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("0" * 32)
    (tmp_path / "etc/mtab").symlink_to("../proc/self/mounts")
    (tmp_path / "etc/shadow").write_text("root:*:1::::::\n")
    tree.clean(tmp_path)
    assert secrets.look(tmp_path) == []
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"etc/machine-id", "etc/hostname", "etc/resolv.conf", "etc/shadow", "usr/bin/kept"}
    assert all((tmp_path / name).is_dir() for name in ("boot/firmware", "var/lib/gatehouse"))


@pytest.mark.skipif(
    shutil.which("genimage") is None or shutil.which("mkfs.vfat") is None, reason="genimage, dosfstools"
)
def test_a_small_card_has_the_partitions_that_were_meant(tmp_path: Path) -> None:
    from dataclasses import replace

    from imaging import boot, card, disk
    from imaging.boards import BOARDS, SIGNATURE

    board = replace(BOARDS["qemu"], common_mib=36, boot_mib=36, root_mib=1, data_mib=1)
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "note").write_text("hello\n")
    for name in ("common.vfat", "boot.vfat"):
        boot.fat(
            parts / name, {"gatehouse/README.txt": parts / "note"}, mib=36, label="X", serial=1, epoch=1_700_000_000
        )
    (parts / "root.squashfs").write_bytes(b"r" * 1000)
    for name, size in (("boot.img", 440), ("core.img", 3000)):
        (parts / name).write_bytes(b"g" * size)
    image = disk.compose(board, parts=parts, out=tmp_path, image="card.img", loader=("boot.img", "core.img"))
    said = subprocess.run(["/usr/sbin/sfdisk", "--dump", image], capture_output=True, text=True, check=True).stdout
    assert f"label-id: {SIGNATURE:#x}" in said
    found = re.findall(r"img(\d) : start= *(\d+), size= *(\d+), type=(\w+)", said)
    assert [(number, kind) for number, _, _, kind in found] == [
        ("1", "c"), ("2", "c"), ("3", "c"), ("4", "f"), ("5", "83"), ("6", "83"), ("7", "83"),
    ]  # fmt: skip
    assert card.common_offset(image) == int(found[0][1]) * 512 == 1024 * 1024
    with image.open("rb") as file:
        assert file.read(440) == b"g" * 440
        file.seek(512)
        assert file.read(3000) == b"g" * 3000
    assert (parts / "common.vfat").read_bytes() == (parts / "boot.vfat").read_bytes()  # same in, same out


def test_a_missing_tool_is_one_sentence() -> None:
    from imaging.run import Refused, require, tool

    with pytest.raises(Refused, match=r"no-such-tool.*apt-image"):
        require(["sh", "no-such-tool"])
    with pytest.raises(Refused, match="no-such-tool is missing"):
        tool("no-such-tool")
    with pytest.raises(Refused, match=r"(?s)sh ended with 3:.*the reason"):
        tool("sh", "-c", "echo the reason >&2; exit 3")


def test_the_caller_s_surroundings_do_not_reach_what_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    from imaging.run import tool

    for name in ("TZ", "LANG", "LC_TIME", "PYTHONOPTIMIZE", "TAR_OPTIONS", "ZSTD_CLEVEL", "SOURCE_DATE_EPOCH"):
        monkeypatch.setenv(name, "changed")
    assert b"changed" not in tool("env")
    assert b"SOURCE_DATE_EPOCH=7\n" in tool("env", extra={"SOURCE_DATE_EPOCH": "7"})


@pytest.mark.req("S5")
def test_byte_code_is_the_same_wherever_and_beside_whatever_it_is_made(tmp_path: Path) -> None:
    from imaging import python

    made = []
    for name, beside in (("one", ""), ("elsewhere", "def a():\n    return {'name', 'other', 'name of a thing'}\n")):
        root = tmp_path / name
        for folder in ("lib", "other"):
            (root / folder).mkdir(parents=True)
        (root / "lib/thing.py").write_text("def name(other):\n    return other in {'name', 'thing', 'a name'}\n")
        (root / "other/thing.py").write_text(beside)
        python.compile_(root, ["/lib", "/other"], python=Path(sys.executable))
        (code,) = (root / "lib").rglob("*.pyc")
        made.append(code.read_bytes())
    assert made[0] == made[1]
    assert int.from_bytes(made[0][4:8], "little") == 0b01, "hash inside, unchecked (PEP 552)"
    assert str(tmp_path).encode() not in made[0]


def test_the_list_of_tools_has_reasons() -> None:
    lines_ = [line for line in (ROOT / "tools/apt-image.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines_ == sorted(lines_)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9+.-]+ +# \S.+", line) for line in lines_)
