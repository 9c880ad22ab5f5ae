"""`gatehouse up`: the box's settings in, its processes running until SIGTERM out.

Each process gets no more than it needs (`appliance.confinement`): the warden CAP_NET_ADMIN and the
router's network, courier and resolver the network, sensor, keeper and porch neither. The notice page's
listener is opened here, so that the porch needs no port rights.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

import click

from appliance import settings as box_settings
from appliance.confinement import Ability, Rights, probe
from appliance.settings import BoxSettings
from appliance.supervisor import Program, Supervisor
from firmware import household
from wire.files import FileError

_BACKLOG = 64
_PROBE_EVERY = 60.0
"""Seconds between two askings whether the box is to look round; the keeper says yes seldom."""
_STOP_STAGES = {"sensor": 0, "porch": 0, "probe": 0, "warden": 1, "courier": 1, "resolver": 1, "keeper": 2}
"""Who sees stops first, who remembers last: what the sensor said is still written down."""


@click.command()
@click.option("--config", type=click.Path(path_type=Path), required=True, help="The box's settings file (TOML).")
def up(config: Path) -> None:
    """Run the processes of the box: warden, sensor, keeper, courier, porch, resolver; each minute the probe.

    Runs in the foreground until SIGTERM or Ctrl-C and restarts what dies or hangs. The pids are in
    up.json of the run directory.

    Exit codes: 0 stopped as asked, 2 unusable settings, 3 the notice page's address cannot be had.
    """
    try:
        settings = box_settings.load(config)
        house = household.load(settings.household)
    except FileError as error:
        _fail(2, str(error))
    ability = probe(frozenset(settings.uids.values()))
    if settings.uids and not ability.own_uids and os.getuid() != 0:
        _fail(2, f"{config}: uids: only root can give each process its own user; run as root or leave uids out")
    for sentence in ability.left_out():
        _say(f"left out: {sentence}")
    uids = settings.uids if ability.own_uids else {}
    try:
        _make_folders(settings, uids)
    except OSError as error:
        _fail(2, f"{error.filename}: cannot be made ({error.strerror}); mend state_dir or run_dir in {config}")
    address = (str(house.lan.address), house.notice_port)
    try:
        listener = socket.create_server(address, backlog=_BACKLOG)
    except OSError as error:
        _fail(3, _why_no_listener(error, address))
    stop = False

    def on_signal(_number: int, _frame: object) -> None:
        nonlocal stop
        stop = True

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    with listener:
        programs = _programs(config.resolve(), uids, ability, listener)
        try:
            Supervisor(programs, folder=settings.run_dir, report=_say).run(lambda: stop)
        except OSError as error:
            _fail(2, f"{settings.run_dir}: cannot be used ({error})")


def _programs(config: Path, uids: dict[str, int], ability: Ability, listener: socket.socket) -> list[Program]:
    rights = {
        "keeper": Rights(uid=uids.get("keeper")),
        "warden": Rights(uid=uids.get("warden"), network=True, net_admin=True),
        "sensor": Rights(uid=uids.get("sensor")),
        "courier": Rights(uid=uids.get("courier"), network=True),
        "porch": Rights(uid=uids.get("porch")),
        "resolver": Rights(uid=uids.get("resolver"), network=True),
    }
    if ability.net_raw:
        rights["probe"] = Rights(uid=uids.get("probe"), network=True, net_raw=True)
    return [
        Program(
            name=name,
            argv=(
                *right.prefix(ability),
                *(sys.executable, "-m", f"appliance.{name}", "--config", str(config)),
                *(["--quiet"] if name == "probe" else []),
            ),
            uid=right.uid,
            listener=listener if name == "porch" else None,
            stop_stage=_STOP_STAGES[name],
            every=_PROBE_EVERY if name == "probe" else None,
        )
        for name, right in rights.items()
    ]


def _make_folders(settings: BoxSettings, uids: dict[str, int]) -> None:
    """One folder a process below state_dir (its own business) and run_dir (where its sockets are)."""
    for top, mode in ((settings.state_dir, 0o700), (settings.run_dir, 0o755)):
        top.mkdir(parents=True, exist_ok=True, mode=0o755)
        for name in _STOP_STAGES:
            folder = top / name
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)
            if name in uids:
                os.chown(folder, uids[name], uids[name])


def _why_no_listener(error: OSError, address: tuple[str, int]) -> str:
    where = f"{address[0]} port {address[1]}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"the notice page's address {where} is taken; stop what listens there or change notice_port"
        case errno.EADDRNOTAVAIL:
            return f"the notice page's address {where} is on no interface of this machine; bring the LAN up first"
        case errno.EACCES:
            return f"the notice page's address {where} needs root; run as root or choose a notice_port above 1023"
        case _:
            return f"the notice page cannot listen at {where}: {error.strerror}"


def _say(line: str) -> None:
    click.echo(f"gatehouse: {line}")
    sys.stdout.flush()


def _fail(code: int, text: str) -> NoReturn:
    click.echo(f"gatehouse: {text}", err=True)
    sys.exit(code)
