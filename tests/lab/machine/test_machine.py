"""The driver of machines, as far as it goes without booting one."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from pathlib import Path

import dpkt
import pytest

from lab.host import LabError
from lab.machine import bundles, disk, flood, image
from lab.machine.qemu import PROGRAM, Plan
from lab.machine.qmp import Monitor, MonitorError
from lab.machine.shell import READY, SCRIPT, WORDS, Shell, ShellError

needs_qemu = pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"{PROGRAM} is not installed")
needs_fat = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("mkfs.vfat", "mcopy", "mmd", "sfdisk")),
    reason="mtools, dosfstools or fdisk is not installed",
)


def test_a_machine_is_always_emulated_and_has_the_cards_in_their_order(tmp_path: Path) -> None:
    words = Plan(disks=[tmp_path / "a.qcow2", tmp_path / "b.raucb"], taps=["one", "two"]).argv(tmp_path)
    assert "tcg,thread=single,tb-size=256" in words
    assert not [word for word in words if "kvm" in word]
    assert [word for word in words if word.startswith("tap,")] == [
        "tap,id=net0,ifname=one,script=no,downscript=no",
        "tap,id=net1,ifname=two,script=no,downscript=no",
    ]
    assert [word.partition("format=")[2].partition(",")[0] for word in words if "if=virtio" in word] == ["qcow2", "raw"]


def test_a_kernel_of_ones_own_is_given_its_words(tmp_path: Path) -> None:
    plan = Plan(disks=[], kernel=tmp_path / "k", initrd=tmp_path / "i", words="root=/dev/vda")
    words = plan.argv(tmp_path)
    assert words[words.index("-append") + 1] == "root=/dev/vda"
    assert "-initrd" in words


@needs_qemu
def test_the_monitor_of_a_real_qemu_answers_and_refuses(short_path: Path) -> None:
    path = short_path / "monitor"
    words = [PROGRAM, "-machine", "none", "-nodefaults", "-display", "none", "-qmp", f"unix:{path},server=on,wait=on"]
    with subprocess.Popen(words) as process:
        try:
            while not path.exists():
                assert process.poll() is None
            with Monitor(path) as monitor:
                assert monitor.ask("query-status")["running"] in {True, False}
                with pytest.raises(MonitorError, match="no-such-command"):
                    monitor.ask("no-such-command")
                monitor.ask("quit")
        finally:
            process.kill()


def test_nobody_at_the_monitor_is_said(short_path: Path) -> None:
    with pytest.raises(MonitorError, match="does not answer"):
        Monitor(short_path / "nobody")


@pytest.fixture
def serial(short_path: Path) -> Iterator[Callable[[list[str]], Shell]]:
    """A program at the other end of the line, in a guest's place."""
    path = short_path / "serial"
    ended: list[Callable[[], object]] = []
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(1)

    def start(words: list[str]) -> Shell:
        shell = Shell(path)
        connection, _ = listener.accept()
        process = subprocess.Popen(words, stdin=connection, stdout=connection, stderr=connection)
        connection.close()
        ended.extend((process.wait, process.kill, shell.close))
        return shell

    yield start
    for end in reversed(ended):
        end()
    listener.close()


def test_a_command_s_words_and_exit_code_come_back(serial: Callable[[list[str]], Shell]) -> None:
    shell = serial(["sh", "-c", f"echo {READY}; exec sh"])
    shell.wait(10)
    done = shell.run("echo one; echo two >&2; printf 'no end'")
    assert (done.stdout, done.returncode) == ("one\ntwo\nno end", 0)
    assert shell.run("exit 7", check=False).returncode == 7
    assert shell.run("printf 'a\\001\\033[0mb'").stdout == "a\x01\x1b[0mb"
    assert len(shell.run("head -c 300000 /dev/zero | tr '\\0' x").stdout) == 300_000
    with pytest.raises(ShellError, match="exit code 1"):
        shell.run("echo why; false")


def test_a_command_that_does_not_end_is_given_up(serial: Callable[[list[str]], Shell]) -> None:
    shell = serial(["cat"])  # an echo of the command is no answer
    with pytest.raises(ShellError, match="no word within"):
        shell.run("true", seconds=0.3)


def test_a_machine_that_goes_away_is_said(serial: Callable[[list[str]], Shell]) -> None:
    shell = serial(["sh", "-c", "read line"])
    with pytest.raises(ShellError, match="gone"):
        shell.run("true", seconds=10)


def _card(path: Path) -> None:
    """A card with one FAT partition, as the image's first one."""
    part = path.with_suffix(".fat")
    part.write_bytes(b"")
    with part.open("r+b") as file:
        file.truncate(40 * 1024 * 1024)
    subprocess.run(["mkfs.vfat", "-F", "32", part], check=True, capture_output=True)
    subprocess.run(["mmd", "-i", part, "::grub", "::gatehouse"], check=True, capture_output=True)
    whole = bytearray(2048 * 512) + part.read_bytes()
    path.write_bytes(whole)
    subprocess.run(["sfdisk", path], input=b"label: dos\nstart=2048, type=c\n", check=True, capture_output=True)


@needs_fat
def test_a_file_is_written_into_a_card_and_read_back(tmp_path: Path) -> None:
    card = tmp_path / "card.img"
    _card(card)
    (first,) = disk.partitions(card)
    assert (first.number, first.start, first.kind) == (1, 2048 * 512, "c")
    disk.write_file(card, first.start, "/gatehouse/operator.toml", b"x = 1\n")
    assert disk.read_file(card, first.start, "/gatehouse/operator.toml") == b"x = 1\n"
    with pytest.raises(LabError):
        disk.read_file(card, first.start, "/gatehouse/nothing")


@needs_fat
def test_an_image_is_made_ready_in_a_copy_and_stays_as_it_was(tmp_path: Path) -> None:
    built = tmp_path / "built.img"
    _card(built)
    start = disk.partitions(built)[0].start
    disk.write_file(built, start, "/grub/grub.cfg", b"if true; then\n  linux (hd0,msdos2)/vmlinuz quiet\nfi\n")
    before = built.read_bytes()
    told = image.Image(path=built, memory_mib=512, version="2026.1.1", board="b", bundle=tmp_path)
    ready = image.prepare(told, tmp_path / "ready.img", 'tenant = "example"\n')
    assert built.read_bytes() == before
    assert disk.read_file(ready, start, "/gatehouse/operator.toml") == b'tenant = "example"\n'
    assert disk.read_file(ready, start, "/gatehouse/lab.sh").decode() == SCRIPT
    assert f"/vmlinuz quiet {WORDS}\n" in disk.read_file(ready, start, "/grub/grub.cfg").decode()


@needs_fat
def test_an_image_whose_loader_starts_nothing_is_refused(tmp_path: Path) -> None:
    built = tmp_path / "built.img"
    _card(built)
    disk.write_file(built, disk.partitions(built)[0].start, "/grub/grub.cfg", b"boot\n")
    told = image.Image(path=built, memory_mib=512, version="2026.1.1", board="b", bundle=tmp_path)
    with pytest.raises(LabError, match="no kernel"):
        image.prepare(told, tmp_path / "ready.img", "")


def test_an_image_is_found_by_what_its_build_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = tmp_path / "qemu.json"
    monkeypatch.setenv(image.VARIABLE, str(said))
    assert "make image" in str(image.find(tmp_path))
    said.write_text(
        json.dumps(
            {
                "image": str(tmp_path / "x.img"),
                "kernel": str(tmp_path / "qemu" / "vmlinuz"),
                "about": {"version": "2026.11.7", "compatible": "gatehouse-qemu"},
            }
        )
    )
    assert "is not there" in str(image.find(tmp_path))
    (tmp_path / "x.img").touch()
    found = image.find(tmp_path)
    assert isinstance(found, image.Image)
    assert (found.version, found.board, found.signer) == ("2026.11.7", "gatehouse-qemu", None)
    (tmp_path / "signer.pem").touch()
    found = image.find(tmp_path)
    assert isinstance(found, image.Image)
    assert found.signer == tmp_path / "signer.pem"


def test_an_image_that_takes_nobody_s_bundles_gets_none(tmp_path: Path) -> None:
    told = image.Image(path=tmp_path, memory_mib=512, version="2026.1.1", board="b", bundle=tmp_path)
    with pytest.raises(LabError, match="nobody's"):
        bundles.make(told, tmp_path / "b.raucb", version="2099.1.1")


def test_a_root_that_cannot_be_mounted_has_the_size_of_the_true_one(tmp_path: Path) -> None:
    (tmp_path / "rootfs.img").write_bytes(b"hsqs" + bytes(5 * 1024 * 1024))
    told = image.Image(path=tmp_path, memory_mib=512, version="2026.1.1", board="b", bundle=tmp_path)
    broken = bundles.broken_root(told, tmp_path / "broken.img").read_bytes()
    assert len(broken) == 4 + 5 * 1024 * 1024
    assert not broken.startswith(b"hsqs")


def test_each_frame_of_a_flood_is_another_made_up_neighbour() -> None:
    router = IPv4Address("192.0.2.1")
    macs = set()
    for number in range(500):
        frame = dpkt.ethernet.Ethernet(flood.frame(number, "192.0.2.77", str(router)))
        assert frame.dst == b"\xff" * 6
        assert frame.arp.tpa == router.packed
        assert frame.arp.spa == IPv4Address("192.0.2.77").packed
        assert frame.src == frame.arp.sha
        assert frame.src[0] & 3 == 2, "locally administered, one device's"
        macs.add(frame.src)
    assert len(macs) == 500
