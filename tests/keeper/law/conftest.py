"""A keeper whose time is not a script's: it has to ask the server, played here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper.core import Peer
from wire.timing import TimeAnswer, TimeRequest, open_run_key

BOOT = "ab12"


class Served:
    """A bench with a server that vouches for the time when told to."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench
        self.true = bench.wall
        """What time it is; the bench's wall clock may be wrong."""
        self.questions: list[TimeRequest] = []

    def note(self, sent: list[m.Message]) -> list[m.Message]:
        opened = [self.bench.open(each).payload for each in sent if isinstance(each, m.Outbound)]
        self.questions += [each for each in opened if isinstance(each, TimeRequest)]
        return sent

    def online(self) -> list[m.Message]:
        bench = self.bench
        bench.connect(Peer.COURIER, Peer.SENSOR, Peer.WARDEN)
        return self.note(bench.hear(Peer.COURIER, m.BrokerState(connected=True), m.Credit(count=1000)))

    def wait(self, seconds: float, *, wall: float | None = None) -> list[m.Message]:
        self.true += seconds
        return self.note(self.bench.wait(seconds, wall=wall))

    def answer(self, **changes: Any) -> list[m.Message]:
        """Answer the last question."""
        question = self.questions[-1]
        key = None
        if question.sealed_key is not None:
            key = open_run_key(
                question.sealed_key, self.bench.server_opener, tenant="force-a", site="box-1", boot=question.boot
            )
        answer = TimeAnswer(nonce=question.nonce, at=datetime.fromtimestamp(self.true, UTC), key=key)
        return self.note(self.bench.down(answer.model_copy(update=changes)))

    def restart(self, document: bytes | None, *, boot: str | None = None) -> None:
        """Start the keeper anew; with `boot`, the machine too."""
        self.bench.stop()
        if boot is not None:
            self.bench.boot, self.bench.monotonic = boot, 5.0
        self.bench.start(document)


@pytest.fixture
def make_served(make_bench: Callable[..., Any]) -> Callable[..., Served]:
    return lambda document: Served(make_bench(document, BOOT))


@pytest.fixture
def served(make_served: Callable[..., Served], signed: Callable[..., bytes]) -> Served:
    """A keeper with a valid authority, connected, and no time yet."""
    made = make_served(signed())
    made.online()
    return made
