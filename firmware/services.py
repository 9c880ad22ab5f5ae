"""Time, names of the box itself, the page's address and the engineer's shell, as their programs read them.

A `Household` in, texts by path out; pure.
"""

from __future__ import annotations

from firmware import layout, names
from firmware.household import Household
from firmware.templating import fill

CHRONY = "/etc/chrony/chrony.conf"
RESOLV = "/etc/resolv.conf"
PORCH = "/etc/systemd/system/gatehouse-porch.socket.d/20-address.conf"
SHELL = "/etc/ssh/sshd_config"
SHELL_KEYS = "/etc/ssh/gatehouse-engineers"
SHELL_UNIT = "/etc/systemd/system/ssh.service.d/20-gatehouse.conf"
SHELL_HOST_KEY = f"{layout.KEYS}/ssh_host_ed25519_key"
SIGNATURE_TIME = "/etc/systemd/system/gatehouse-signature-time.service"


def render(household: Household) -> dict[str, str]:
    """Text of each file, by path; the shell's are there only where an engineer's key is."""
    address = household.lan.address
    files = {
        CHRONY: fill("chrony.conf", servers=household.time.servers),
        RESOLV: fill("resolv.conf"),
        PORCH: fill("porch.socket.conf", address=address, port=household.notice_port),
    }
    if household.resolver.dnssec != "off":
        files[SIGNATURE_TIME] = fill("signature-time.service")
    keys = household.admin.engineer_keys
    if keys:
        files[SHELL] = fill(
            "sshd.conf", address=address, port=names.SHELL_PORT, keys=SHELL_KEYS, host_key=SHELL_HOST_KEY
        )
        files[SHELL_KEYS] = fill("engineers", keys=keys)
        files[SHELL_UNIT] = fill("ssh-unit.conf", host_key=SHELL_HOST_KEY)
    return files
