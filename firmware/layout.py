"""Where things lie on the box: paths and users that image, units, settings and processes agree on."""

from __future__ import annotations

PROGRAM = "/usr/lib/gatehouse"
"""The virtual environment with everything of Python; `PROGRAM/bin/gatehouse` is the command."""

DATA = "/var/lib/gatehouse"
"""Mount point of the data partition: all that a box keeps. Everything else is read-only or in memory."""
CONFIG = f"{DATA}/config"
BOX_FILE = f"{CONFIG}/box.toml"
"""Present once the box is enrolled: what starts the watching processes looks for it."""
HOUSEHOLD_FILE = f"{CONFIG}/household.toml"
"""Written at first boot with what fits any home, and again when the box is enrolled."""
HOUSEHOLD_GOOD_FILE = f"{CONFIG}/household.good.toml"
"""The last that was proved (`gatehouse apply`)."""
HOUSEHOLD_TRIAL_FILE = f"{CONFIG}/household.trial"
"""Is there as long as a change of the household file is not proved."""
AUTHORITY_FILE = f"{CONFIG}/authority.json"
UPLINK_SECRET_FILE = f"{CONFIG}/uplink.secret"
"""The provider's password for PPPoE, one line, readable for root only, where the household names no other file."""
UPLINK_SECRETS = "uplink-*.secret"
"""In `CONFIG`: passwords of lines that were entered at the box or came with its enrolment, each in a file of its own."""
KEYS = f"{DATA}/keys"
SIGNING_KEY, SEALING_KEY, TLS_KEY = f"{KEYS}/signing.pem", f"{KEYS}/sealing.pem", f"{KEYS}/tls.key"
CERTIFICATE, AUTHORITY_CERTIFICATE = f"{KEYS}/tls.pem", f"{KEYS}/ca.pem"
CARD_FILE, LABEL_FILE = f"{KEYS}/card.json", f"{KEYS}/label.txt"
"""The label holds the claim code, and goes when the box is enrolled."""
STATE = f"{DATA}/state"
"""One folder a process (`BoxSettings.state_dir`)."""
PASSPHRASE_FILE = f"{STATE}/warden/wifi.psk"
"""hostapd's `wpa_psk_file`, written by the warden: the home's Wi-Fi works after a power cut before anything else runs."""

RUN = "/run/gatehouse"
"""One folder a process (`BoxSettings.run_dir`)."""
FRESH = f"{RUN}/fresh.json"
"""What first boot and the looks at the uplink found, for the local page and the light; see `appliance.fitting`."""
LINE_TOLD = "/run/gatehouse-line"
"""Exit status of the last pppd that ended, one line; outside `RUN`, which goes with whoever made it."""

BOOT = "/boot/firmware"
OPERATOR_FILE = f"{BOOT}/gatehouse/operator.toml"
"""Written on the card at the station (`wire.enrolment.OperatorCard`)."""

UIDS = {
    "warden": 64101,
    "sensor": 64102,
    "keeper": 64103,
    "courier": 64104,
    "porch": 64105,
    "resolver": 64106,
    "probe": 64107,
    "fitting": 64108,
}
"""uid and gid of each process; the user's name is `gatehouse-` and the process's."""
