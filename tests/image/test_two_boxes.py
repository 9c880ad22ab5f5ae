"""Two boxes from one image: nothing that is secret, and nothing that names one of them, is the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from firmware import layout
from lab.machine.stack import BoxStack

pytestmark = [pytest.mark.timeout(1500)]

_TOLD = {
    "signing key": f"cat {layout.SIGNING_KEY}",
    "sealing key": f"cat {layout.SEALING_KEY}",
    "TLS key": f"cat {layout.TLS_KEY}",
    "card": f"cat {layout.CARD_FILE}",
    "label": f"cat {layout.LABEL_FILE}",
    "key of the data partition": "cryptsetup luksDump --dump-volume-key --batch-mode --key-file "
    "/boot/firmware/gatehouse/data.key /dev/disk/by-partuuid/5ca1ab1e-07 | tail -4",
    "file with that key": "sha256sum < /boot/firmware/gatehouse/data.key",
    "salt of the data partition": "cryptsetup luksUUID /dev/disk/by-partuuid/5ca1ab1e-07",
    "machine id": "cat /etc/machine-id",
    "household's prefix": f"grep network6 {layout.HOUSEHOLD_FILE}",
    "address of the bridge": f"grep '^mac' {layout.HOUSEHOLD_FILE}",
}


@pytest.fixture(scope="module")
def two(new_box: Callable[[], AbstractContextManager[BoxStack]]) -> list[dict[str, str]]:
    """What two boxes from the same card say of themselves."""
    said = []
    with new_box() as stack:
        for name in ("one", "two"):
            with stack.new_machine(name) as machine:
                shell = stack.boot(machine)
                said.append({what: shell.run(command).stdout.strip() for what, command in _TOLD.items()})
    return said


@pytest.mark.req("R69")
@pytest.mark.parametrize("what", sorted(_TOLD))
def test_two_boxes_share_nothing_secret(two: list[dict[str, str]], what: str) -> None:
    one, other = two
    assert one[what]
    assert one[what] != other[what]


@pytest.mark.req("R69")
def test_no_line_of_the_label_is_on_two_boxes(two: list[dict[str, str]]) -> None:
    one, other = (json.loads(said["label"]) for said in two)
    assert one.keys() == other.keys()
    assert not [name for name in one if one[name] == other[name]]
