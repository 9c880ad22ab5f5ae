"""The probe's process: settings and the keeper's leave in, questions on the network, answers to the keeper.

It does what the keeper allows and nothing else, then ends. Bounded: one connection, `PATIENCE`
seconds for the keeper to answer or to read, and what `errands` says.
"""

from __future__ import annotations

import argparse
import logging
import secrets
import select
import sys
from collections.abc import Sequence
from pathlib import Path

from appliance import clock, link, settings
from appliance.messages import (
    Message,
    MessageError,
    ProbeAnswer,
    ProbeDone,
    ProbeKind,
    ProbeLeave,
    ProbeRequest,
)
from appliance.probe.answers import Answer
from appliance.probe.own import Own
from appliance.probe.port import Port
from firmware import household
from firmware.names import TEST_PORT
from wire.files import FileError

PATIENCE = 5.0

_log = logging.getLogger(__name__)


class ProbeError(Exception):
    """It ends here; `code` is the exit code, the text says why."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Keeper:
    """The connection to the keeper."""

    def __init__(self, path: Path) -> None:
        """Connect.

        Raises:
            ProbeError: the keeper is not there.
        """
        self._path = path
        try:
            self._link = link.connect(path)
        except OSError as error:
            raise ProbeError(3, f"the keeper does not answer at {path} ({error.strerror or error})") from error

    def ask(self, kind: ProbeKind | None) -> ProbeLeave:
        """Its leave; `kind` None asks for whatever is wanted or due.

        Raises:
            ProbeError: it hung up, or did not answer in time.
        """
        self.say(ProbeRequest(kind=kind))
        until = clock.monotonic() + PATIENCE
        while (left := until - clock.monotonic()) > 0:
            select.select([self._link], [], [], left)
            try:
                received = self._link.receive()
            except (link.LinkClosedError, MessageError) as error:
                raise ProbeError(3, f"the keeper hung up at {self._path} ({error})") from error
            for message in received:
                if isinstance(message, ProbeLeave):
                    return message
        raise ProbeError(3, f"the keeper did not answer within {PATIENCE:g} s")

    def say(self, message: Message) -> None:
        """Tell it something.

        Raises:
            ProbeError: it is gone, or does not read.
        """
        until = clock.monotonic() + PATIENCE
        while clock.monotonic() < until:
            try:
                self._link.send(message)
            except link.LinkFullError:
                select.select([], [self._link], [], until - clock.monotonic())
            except link.LinkClosedError as error:
                raise ProbeError(3, f"the keeper is gone ({error})") from error
            else:
                return
        raise ProbeError(3, f"the keeper did not read for {PATIENCE:g} s")

    def close(self) -> None:
        """Hang up."""
        self._link.close()


def look_round(config: Path, kind: ProbeKind | None) -> str:
    """Ask the keeper, do what it allows, tell it. Returns why there was nothing to do; empty where there was.

    Raises:
        ProbeError: why not, with the exit code.
    """
    try:
        box = settings.load(config)
        lan = household.load(box.household).lan
    except FileError as error:
        raise ProbeError(2, str(error)) from error
    try:
        port = Port(lan.bridge)
    except PermissionError as error:
        raise ProbeError(4, "it may not send on the network: CAP_NET_RAW is missing; run as root") from error
    except OSError as error:
        raise ProbeError(2, f"{lan.bridge}: cannot be used ({error.strerror or error}); see {box.household}") from error
    with port:
        keeper = Keeper(box.keeper_socket("probe"))
        try:
            leave = keeper.ask(kind)
            if leave.refused:
                raise ProbeError(1, f"nothing was sent: {leave.why or 'the keeper gave no leave'}")
            for allowed in dict.fromkeys(leave.kinds):
                own = Own(
                    mac=port.mac,
                    address=lan.address,
                    network=lan.network,
                    link_local=port.link_local,
                    port=port.udp_port,
                    number=secrets.randbits(32),
                    test=leave.test,
                )
                if allowed is ProbeKind.TEST:
                    _test(own, keeper)
                else:
                    _do(allowed, own, port, keeper)
        finally:
            keeper.close()
    return "" if leave.kinds else leave.why


def _test(own: Own, keeper: Keeper) -> None:
    """Ask for the test's name at the box's own port of the bridge, as a device would at its own."""
    try:
        port = Port(TEST_PORT)
    except OSError as error:
        _log.warning("%s: cannot be used (%s); the warden makes it", TEST_PORT, error.strerror or error)
        keeper.say(ProbeDone(ts=clock.now(), kind=ProbeKind.TEST, sent=0, answers=0))
        return
    with port:
        _do(ProbeKind.TEST, own, port, keeper)


def _do(kind: ProbeKind, own: Own, port: Port, keeper: Keeper) -> None:
    from appliance.probe import errands  # noqa: PLC0415 - scapy takes a second; most askings find nothing to do

    def tell(answer: Answer) -> None:
        keeper.say(ProbeAnswer(ts=clock.now(), mac=answer.mac, kind=kind, ip=answer.ip))

    try:
        result = errands.run(kind, own, port, monotonic=clock.monotonic, tell=tell)
    except OSError as error:
        raise ProbeError(2, f"the network went away ({error.strerror or error})") from error
    if result.overflow:
        _log.warning("%s: %d frames or answers went over their bound", kind, result.overflow)
    keeper.say(ProbeDone(ts=clock.now(), kind=kind, sent=result.sent, answers=result.answers))
    _log.info("%s: %d sent, %d answered", kind, result.sent, result.answers)


def main(words: Sequence[str] | None = None) -> int:
    """Run from the command line.

    Exit codes: 0 done, or nothing was wanted or due (printed, unless `--quiet`), 1 the keeper gave no
    leave (printed why), 2 unusable settings or arguments, 3 the keeper is not there, 4 no right to send.
    """
    parser = argparse.ArgumentParser(prog="python -m appliance.probe")
    parser.add_argument("--config", type=Path, required=True, help="the box's settings file (TOML)")
    parser.add_argument(
        "--kind", type=ProbeKind, help="sweep, services, dhcp or test; without it, what is wanted or due"
    )
    parser.add_argument("--quiet", action="store_true", help="say nothing where nothing is wanted or due")
    arguments = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="probe: %(levelname)s %(message)s", stream=sys.stderr)
    try:
        nothing = look_round(arguments.config, arguments.kind)
    except ProbeError as error:
        sys.stderr.write(f"probe: {error}\n")
        return error.code
    if nothing and not arguments.quiet:
        sys.stderr.write(f"probe: {nothing}\n")
    return 0
