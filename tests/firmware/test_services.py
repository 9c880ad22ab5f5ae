"""Time, the page's address, the engineer's shell."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from firmware import layout, services
from firmware.household import TIME_SERVERS, Household


@pytest.mark.req("R19")
def test_only_servers_that_prove_who_they_are_set_the_clock(home: Household) -> None:
    text = services.render(home)[services.CHRONY]
    lines = text.splitlines()
    servers = [line for line in lines if line.startswith("server ")]
    assert servers == [f"server {name} iburst nts" for name in home.time.servers]
    assert "authselectmode require" in lines
    assert "port 0" in lines, "nobody is served"
    assert not [line for line in lines if line.startswith(("pool", "allow", "peer"))]


def test_well_known_servers_of_several_operators_are_asked_where_none_is_named(homes: dict[str, Household]) -> None:
    assert homes["wired"].time.servers == TIME_SERVERS
    assert len({name.split(".", 1)[1] for name in TIME_SERVERS}) == len(TIME_SERVERS) == 3


@pytest.mark.req("R9")
def test_nobody_has_a_shell_unless_an_engineers_key_is_enrolled(home: Household) -> None:
    files = services.render(home)
    shell = {services.SHELL, services.SHELL_KEYS, services.SHELL_UNIT}
    assert (shell & set(files)) == (shell if home.admin.engineer_keys else set())


def test_the_shell_takes_keys_only_and_listens_in_the_home_only(homes: dict[str, Household]) -> None:
    lines = services.render(homes["engineer"])[services.SHELL].splitlines()
    assert [line for line in lines if line.startswith("ListenAddress")] == ["ListenAddress 192.0.2.1:22"]
    assert {
        "AuthenticationMethods publickey",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "AllowUsers root",
        "PermitRootLogin prohibit-password",
        "AllowTcpForwarding no",
        f"HostKey {layout.KEYS}/ssh_host_ed25519_key",
    } <= set(lines)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_the_keys_of_engineers_are_read_by_openssh(homes: dict[str, Household], tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(services.render(homes["engineer"])[services.SHELL_KEYS])
    done = subprocess.run(["ssh-keygen", "-l", "-f", str(path)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("ED25519") == len(homes["engineer"].admin.engineer_keys)


def test_the_page_listens_at_the_households_address(home: Household) -> None:
    lines = services.render(home)[services.PORCH].splitlines()
    assert lines.index("ListenStream=") < lines.index(f"ListenStream={home.lan.address}:{home.notice_port}")
    assert "FreeBind=yes" in lines


def test_the_box_asks_itself(home: Household) -> None:
    lines = services.render(home)[services.RESOLV].splitlines()
    assert [line for line in lines if line.startswith("nameserver")] == ["nameserver 127.0.0.1"]


def test_a_clock_that_is_set_days_later_still_counts_for_signatures(homes: dict[str, Household]) -> None:
    """`chrony-wait.service` gives up after three minutes, and what requires it is not tried again."""
    text = services.render(homes["captive"])[services.SIGNATURE_TIME]
    assert "chrony-wait" not in text
    assert " waitsync 0 " in text, "for ever"
    assert "Restart=on-failure" in text
    assert "Type=exec" in text, "the start of the machine does not wait"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit_of_signatures(homes: dict[str, Household], tmp_path: Path) -> None:
    path = tmp_path / "gatehouse-signature-time.service"
    text = services.render(homes["captive"])[services.SIGNATURE_TIME]
    for content, right in ((text, True), (text.replace("RemainAfterExit", "RemainAfter"), False)):
        path.write_text(content)
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(path)],
            check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert (f"{path}:" not in done.stderr) == right, done.stderr
    assert services.SIGNATURE_TIME not in services.render(homes["wired"])
