from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from wire.base import Payload
from wire.box import BoxStatus
from wire.models import TYPES, Receipt, type_of


def test_every_payload_knows_its_type(examples: Mapping[str, Payload]) -> None:
    for payload in examples.values():
        assert TYPES[type_of(payload).ce_type].model is type(payload)


def test_a_part_of_a_payload_is_no_message() -> None:
    with pytest.raises(KeyError, match="Payload"):
        type_of(Payload())


def test_an_older_reader_still_reads_a_newer_payload() -> None:
    status = BoxStatus.model_validate({"online": True, "at": "2026-03-01T00:00:00Z", "later_field": 1})
    assert status.online


@pytest.mark.parametrize("ranges", [(), ((1, 2),) * 257, ((-1, 2),), ((0, 2**53),)])
def test_receipts_are_bounded(ranges: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValidationError):
        Receipt(epoch="e", ranges=ranges, at=datetime(2026, 3, 1, tzinfo=UTC))
