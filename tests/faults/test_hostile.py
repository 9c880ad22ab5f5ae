"""The hostile broker itself: it hands on what is genuine as it was, and what it spoils is not that."""

from __future__ import annotations

import json
import random

from lab.faults.carriage import TENANT
from lab.faults.hostile import SITES, Hands


def test_genuine_stays_genuine_and_spoilt_is_something_else() -> None:
    hands = Hands(random.Random(1))  # noqa: S311 - a repeatable game
    put = [
        (
            f"gatehouse/v1/{TENANT}/{SITES[number % 2]}/event/session",
            json.dumps(
                {
                    "id": f"e-{number}",
                    "source": "s",
                    "type": "gatehouse.session.v1",
                    "time": "2030-01-01T00:00:00Z",
                    "sequence": str(number),
                    "data_base64": f"{number:064d}",
                }
            ).encode(),
        )
        for number in range(400)
    ]
    out = hands.handle(put) + hands.handle([])
    genuine = [(topic, body) for topic, body, real in out if real]
    assert set(genuine) <= set(put)
    assert len(set(genuine)) == len(put) - hands.tally["dropped"]
    assert len(genuine) == len(set(genuine)) + 2 * hands.tally["repeated"]
    assert not {(topic, body) for topic, body, real in out if not real} & set(put)
    assert hands.captured == put
