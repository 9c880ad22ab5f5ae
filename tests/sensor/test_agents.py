from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.agents import without_applications


@pytest.mark.parametrize(
    "agent",
    [
        "Dalvik/2.1.0 (Linux; U; Android 14; SM-X000 Build/UP1A)",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
        "Microsoft NCSI",
        "CaptiveNetworkSupport",
        "CaptiveNetworkSupport-443.120.2 wispr",
        "server-bag [watchOS,10.1,21S67,Watch6,1]",
        "AppleTV11,1/11.1",
        "DCS-932L",
        "Withings UserAgent",
        "Roku/DVP-9.10 (519.10E04111A)",
    ],
)
def test_what_speaks_of_the_device_stays(agent: str) -> None:
    assert without_applications(agent) in {agent, agent.removesuffix(" wispr"), agent.removeprefix("server-bag ")}


@pytest.mark.req("R55", "N2")
@pytest.mark.parametrize(
    ("agent", "left"),
    [
        ("Courtship/14.2 CFNetwork/1485 Darwin/23.1.0", "CFNetwork/1485 Darwin/23.1.0"),
        ("Courtship/14 (com.example.courtship; build:77; iOS 17.1.0) Net/5", "(iOS 17.1.0)"),
        ("Courtship/14 (iPhone; iOS 17.1; Scale/3.00)", "(iPhone; iOS 17.1; Scale/3.00)"),
        (
            "Mozilla/5.0 (Linux; Android 13; SM-X000; wv) Chrome/118.0 Mobile Courtship 305.0 [APP/x;1]",
            "Mozilla/5.0 (Linux; Android 13; SM-X000; wv) Chrome/118.0 Mobile",
        ),
        ("Mozilla/5.0 (iPhone; Courtship/3.1 iOS 17; 4/10.01)", "Mozilla/5.0 (iPhone; iOS 17; 4/10.01)"),
        ("Mozilla/5.0 (compatible; Courtship/3; +https://courtship.example)", "Mozilla/5.0 (compatible)"),
        ("courtship", ""),
        ("", ""),
    ],
)
def test_an_application_does_not(agent: str, left: str) -> None:
    assert without_applications(agent) == left


@given(st.text(max_size=512))
def test_it_only_ever_takes_away(agent: str) -> None:
    left = without_applications(agent)
    assert len(left) <= 2 * len(agent)
    assert without_applications(left) == left


def test_the_answers_remembered_are_bounded() -> None:
    for number in range(1100):
        without_applications(f"curl/{number}")
    assert without_applications.cache_info().currsize <= 1024
