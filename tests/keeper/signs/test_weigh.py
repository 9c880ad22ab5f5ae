from __future__ import annotations

import pytest

from appliance.keeper.signs.weigh import MAX_RECORDS, MAX_TEXT, SINGLE, Weighed, fit, severity, sign, towards
from appliance.keeper.signs.window import Context, Observed
from appliance.signals import Signal
from wire.base import Standing
from wire.findings import FindingKind, Grade, Severity

CONTEXT = Context(device_id="d-1")


def seen(number: int, server: str | None = None) -> Observed:
    return Observed(
        record_id=f"r-{number}", signal=Signal.SSH, value="", first=float(number), last=number + 0.5, server=server
    )


@pytest.mark.req("R27")
def test_no_sign_interrupts_anybody_and_a_low_one_is_for_information() -> None:
    signs = set(FindingKind) - {FindingKind.BREAK_GLASS}  # an act of one person, of which others hear at once
    found = {severity(kind, grade, standing) for kind in signs for grade in Grade for standing in [*Standing, None]}
    assert Severity.ACT_NOW not in found
    assert all(severity(kind, Grade.LOW, None) is Severity.INFORMATION for kind in signs)


@pytest.mark.req("R55", "R77")
def test_others_devices_are_a_step_less() -> None:
    for standing in (Standing.HOUSEHOLD, Standing.GUEST, Standing.WORK):
        assert severity(FindingKind.TOR, Grade.HIGH, standing) is Severity.THIS_WEEK
    for standing in (Standing.REGISTERED, Standing.UNKNOWN, Standing.REFUSED):
        assert severity(FindingKind.TOR, Grade.HIGH, standing) is Severity.TODAY


@pytest.mark.req("S5", "R29")
def test_a_sign_names_its_records_newest_first_and_says_when_it_rests_on_one_signal() -> None:
    weighed = Weighed(
        kind=FindingKind.TOR,
        grade=Grade.MEDIUM,
        headline="x" * 400,
        support=[seen(number) for number in range(50)],
        alternatives=("a", "a", "b"),
    )
    made = sign(weighed, CONTEXT, cause="c")
    assert (len(made.records), made.records[0]) == (MAX_RECORDS, "r-49")
    assert (made.since, made.ts, made.count, made.confidence) == (0.0, 49.5, 50, 0.6)
    assert (len(made.reasons[0]), made.reasons[-1], made.alternatives) == (MAX_TEXT, SINGLE, ("a", "b"))


def test_more_signals_make_surer_within_a_bound() -> None:
    sure = [
        sign(
            Weighed(
                kind=FindingKind.TOR, grade=Grade.HIGH, headline="x", support=[seen(1)], alternatives=("a",), signals=n
            ),
            CONTEXT,
            cause="c",
        ).confidence
        for n in (1, 2, 3, 30)
    ]
    assert sure == [0.85, 0.9, 0.95, 0.95]


@pytest.mark.parametrize(
    ("servers", "said"),
    [
        ([None], ""),
        (["192.0.2.1"], " to 192.0.2.1"),
        (["192.0.2.1", "192.0.2.2"], " to 192.0.2.1 and 1 other"),
        (["192.0.2.1", "192.0.2.2", "192.0.2.3"], " to 192.0.2.1 and 2 others"),
    ],
)
def test_where_to_in_words(servers: list[str | None], said: str) -> None:
    assert towards([seen(number, server) for number, server in enumerate(servers)]) == said


def test_sentences_fit_what_travels() -> None:
    assert len(fit(str(number) for number in range(40))) == 16
    assert fit(["", "a"]) == ("a",)
