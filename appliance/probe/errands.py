"""What the probe does, how fast and for how long: an errand and a port in, answers out.

Bounded: `PER_SECOND` frames a second, as many frames as `frames` says, `LISTEN_SECONDS` after the
last one, `MAX_ANSWERS` answers that differ and `MAX_FRAMES` frames read; what goes over the last two
is counted in `Result.overflow`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from appliance.messages import ProbeKind
from appliance.probe import frames
from appliance.probe.answers import Answer, read
from appliance.probe.own import Own

PER_SECOND = 50
LISTEN_SECONDS = 5.0
MAX_ANSWERS = 1024
MAX_FRAMES = 20_000

QUESTIONS: MappingProxyType[ProbeKind, Callable[[Own], Iterator[bytes]]] = MappingProxyType(
    {
        ProbeKind.SWEEP: frames.sweep,
        ProbeKind.SERVICES: frames.services,
        ProbeKind.DHCP: frames.discover,
        ProbeKind.TEST: frames.look_up,
    }
)


class Air(Protocol):
    """What an errand needs of a port."""

    def send(self, frame: bytes) -> None:
        """Send a frame."""

    def receive(self, seconds: float) -> bytes | None:
        """The next frame; None when none came within `seconds`."""


@dataclass(slots=True)
class Result:
    """What an errand came to."""

    sent: int = 0
    answers: int = 0
    overflow: int = 0
    """Frames left unread and answers left out."""


def run(
    kind: ProbeKind, own: Own, air: Air, *, monotonic: Callable[[], float], tell: Callable[[Answer], None]
) -> Result:
    """Ask, and `tell` each answer once. Ends by itself, `LISTEN_SECONDS` after the last question.

    Raises:
        OSError: the interface is down or gone.
    """
    result = Result()
    told: set[Answer] = set()
    heard = 0
    questions = QUESTIONS[kind](own)
    question = next(questions, None)
    due = monotonic()
    while True:
        now = monotonic()
        if question is not None and now >= due:
            air.send(question)
            result.sent += 1
            question = next(questions, None)
            # Paced from now: a pause of ours must not be made up for by a burst.
            due = now + (1 / PER_SECOND if question is not None else LISTEN_SECONDS)
        elif question is None and now >= due:
            return result
        frame = air.receive(due - now)
        if frame is None:
            continue
        heard += 1
        if heard > MAX_FRAMES:
            result.overflow += 1
            continue
        answer = read(kind, frame, own)
        if answer is None or answer in told:
            continue
        if len(told) >= MAX_ANSWERS:
            result.overflow += 1
            continue
        told.add(answer)
        result.answers += 1
        tell(answer)
