"""Updates of a machine: written to the other slot and started, and left again by itself where it does not start."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from lab.machine import bundles, cuts
from lab.machine.qemu import Machine
from lab.machine.shell import Shell
from lab.machine.stack import BoxStack

pytestmark = [pytest.mark.timeout(2400)]


@pytest.fixture(scope="module")
def stack(new_box: Callable[[], AbstractContextManager[BoxStack]]) -> Iterator[BoxStack]:
    with new_box() as running:
        if running.built.signer is None:
            pytest.skip("this image was built without a keyring: `make test-image` builds one with a key for tests")
        yield running


def _booted(stack: BoxStack, name: str, bundle: Path) -> tuple[Machine, Shell]:
    machine = stack.new_machine(name)
    machine.plan = replace(machine.plan, media=[bundle])
    return machine, stack.boot(machine)


def _take(shell: Shell, bundle: Path) -> None:
    shell.run(cuts.take(bundle), seconds=300)
    shell.run(f"rauc install {shlex.quote(cuts.BUNDLE)}", seconds=900)


@pytest.mark.req("R4")
def test_an_update_is_written_to_the_other_slot_and_starts(stack: BoxStack, tmp_path: Path) -> None:
    bundle = bundles.make(stack.built, tmp_path / "b.raucb", version="2099.1.1")
    machine, shell = _booted(stack, "good", bundle)
    with machine:
        assert cuts.slot(shell) == "A"
        _take(shell, bundle)
        machine.press_power()
        shell = stack.boot(machine)
        assert cuts.slot(shell) == "B"
        assert shell.run("systemctl --failed --no-legend --plain").stdout == ""


@pytest.mark.req("R4")
def test_a_version_that_does_not_start_is_left_by_itself(stack: BoxStack, tmp_path: Path) -> None:
    root = bundles.broken_root(stack.built, tmp_path / "broken.img")
    bundle = bundles.make(stack.built, tmp_path / "b.raucb", version="2099.1.1", root=root)
    machine, shell = _booted(stack, "bad", bundle)
    with machine:
        _take(shell, bundle)
        machine.press_power()
        shell = stack.boot(machine)
        assert cuts.slot(shell) == "A"
        assert machine.console().count("slot B") >= 1


@pytest.mark.req("R4")
def test_a_bundle_of_somebody_else_is_refused(stack: BoxStack, tmp_path: Path) -> None:
    bundle = bundles.make(
        stack.built,
        tmp_path / "b.raucb",
        version="2099.1.1",
        signer=bundles.self_signed(tmp_path / "other.pem"),
        root=bundles.broken_root(stack.built, tmp_path / "broken.img"),
    )
    machine, shell = _booted(stack, "other", bundle)
    with machine:
        shell.run(cuts.take(bundle), seconds=300)
        assert shell.run(f"rauc install {shlex.quote(cuts.BUNDLE)}", seconds=300, check=False).returncode
        assert cuts.slot(shell) == "A"
