from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event

from dashboard.pages import devices as pages
from dashboard.store import devices, queries, schema

HOSTILE = '<img src=x onerror="alert(1)">\u202eevil\x00\u2067' + "A" * 100
TERMS = {
    "ip",
    "mac",
    "dns",
    "dhcp",
    "sni",
    "tls",
    "mqtt",
    "packet",
    "frame",
    "subnet",
    "hostname",
    "port",
    "broker",
    "ingest",
    "server",
    "keeper",
    "sensor",
}
"""Words of the trade that an officer need not know."""
ADDRESS = {"first_seen": "2026-01-14T20:00:00Z", "last_seen": "2026-01-14T21:00:00Z"}


def _text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


@pytest.mark.req("R13", "R20")
def test_shows_devices_box_and_limits(officer: FlaskClient, seed: Any) -> None:
    seed.site()
    seed.device()
    seed.device("dev-2", standing="registered", label="grey laptop", looks_like=None)
    text = " ".join(_text(officer.get(f"/households/site-1{page}").text) for page in ("", "/devices", "/box"))
    for part in (
        "NM-site-1",
        "Box site-1",
        "Not registered",
        "Hides its address",
        "a phone Highly likely (about 80%)",
        "grey laptop",
        "Registered",
        "Nothing is known yet",
        "14 January 2026, 21:02",
        "The box is reporting",
        "Records under order 7 until 31 March 2026",
        "2 records",
        "3 lost",
        "When it could not see, the latest 3",
        "The part of the box that listens had stopped",
        "and still",
        "The box was switched off, or the part that records had stopped",
        "how long it did not is not known",
        "What this box cannot see",
        "mobile data",
        "other Wi-Fi",
        "stored on a device",
        "Times are UK time (GMT)",
    ):
        assert part in text, part


@pytest.mark.req("R29")
def test_a_finding_says_why_how_sure_and_what_else(officer: FlaskClient, seed: Any) -> None:
    seed.site()
    seed.device("dev-1", standing="registered", label="grey laptop")
    seed.finding(kind="listed-name", hit=seed.hit())
    listed = _text(officer.get("/households/site-1").text)
    assert "A registered device asked for a name that is on a list in force" in listed
    assert "Under clause 4.2" in listed
    assert "Almost certain (about 95%)" in listed
    whole = _text(officer.get("/households/site-1/findings/find-1").text)
    for part in (
        "shop[.]example[.]test",
        "demo-list",
        "2026-01-10",
        "ab" * 32,
        "unregistered-device",
        "order-7, issue 2",
        "4.2",
        "A visitor&#39;s phone",
        "It asked for an address",
        "14 January 2026, 21:03:09",
    ):
        assert part in whole, part


def test_open_findings_come_before_closed_ones(officer: FlaskClient, seed: Any) -> None:
    seed.site()
    seed.device()
    seed.finding("find-1", state="closed", closed_because="An officer registered it")
    seed.finding("find-2")
    html = officer.get("/households/site-1").text
    assert html.index("finding-find-2") < html.index("details-closed") < html.index("finding-find-1")
    assert "1 finding needs a decision." in html
    assert "An officer registered it" in html


def test_a_silent_box_warns_that_the_page_is_old(officer: FlaskClient, seed: Any, clock: Any) -> None:
    seed.site(heard_at=clock.at - 4000)
    text = _text(officer.get("/households/site-1").text)
    assert "The box has stopped reporting" in text
    assert "may be out of date" in text


def test_quarantine_is_said(officer: FlaskClient, seed: Any) -> None:
    seed.site()
    seed.device(quarantined=True)
    assert "Held off the internet" in officer.get("/households/site-1/devices").text


@pytest.mark.parametrize(("mac", "hidden"), [("02:00:5e:00:53:01", True), ("00:00:5e:00:53:01", False)])
def test_a_private_address_is_told_by_its_bit(officer: FlaskClient, seed: Any, mac: str, hidden: bool) -> None:
    seed.site()
    seed.device(addresses=[{"mac": mac, "locally_administered": hidden, **ADDRESS}])
    html = officer.get("/households/site-1/devices").text
    assert mac in html
    assert ('gh-chip">Hides its address' in html) is hidden


def test_text_from_the_network_does_no_harm(officer: FlaskClient, seed: Any) -> None:
    seed.site(title="NM-1 <b>")
    seed.device(
        label=None,
        looks_like={"text": HOSTILE, "confidence": 0.5, "reasons": [HOSTILE]},
        addresses=[{"mac": "<script>", "locally_administered": True, **ADDRESS}],
    )
    seed.device("dev-2", label=HOSTILE[:80])
    seed.finding(reasons=[HOSTILE], alternatives=[HOSTILE], closed_because=HOSTILE)
    seed.finding("find-2", kind="listed-name", hit=seed.hit(name=HOSTILE, entry="https://example.test/"))
    for path in (
        "/",
        "/households",
        "/households/site-1",
        "/households/site-1/devices",
        "/households/site-1/box",
        "/households/site-1/person",
        "/households/site-1/notes",
        "/households/site-1/findings/find-1",
        "/households/site-1/findings/find-2",
    ):
        html = officer.get(path).text
        assert "<img" not in html, path
        assert "<b>" not in html, path
        assert "<script>" not in html, path
        assert not {"\u202e", "\x00", "\u2067"} & set(html), path
    whole = officer.get("/households/site-1/findings/find-2").text
    assert "[U+202E]evil[U+0000][U+2067]" in whole
    assert "https[:]//example[.]test/" in whole
    assert "https://example.test" not in whole


def test_rows_of_another_version_are_shown_as_far_as_they_are_understood(officer: FlaskClient, seed: Any) -> None:
    seed.site(status={"mood": "well"})
    seed.device(looks_like={"shape": "round"}, standing="lodger", addresses=[{"mac": 7}])
    seed.finding(kind="new-kind", severity="dire", rule="none")
    text = _text(officer.get("/households/site-1").text)
    assert "The box reported: new-kind" in text
    assert "dire" in text
    assert "lodger" in _text(officer.get("/households/site-1/devices").text)
    assert officer.get("/households/site-1/findings/find-1").status_code == 200
    assert officer.get("/").status_code == 200


@pytest.mark.req("R41")
def test_a_great_many_rows_are_bounded_and_counted(officer: FlaskClient, seed: Any) -> None:
    seed.site()
    for number in range(devices.MOST_DEVICES + 5):
        seed.device(f"dev-{number}")
    for number in range(queries.MOST_OPEN_SHOWN + 3):
        seed.finding(f"find-{number}")
    listed = officer.get("/households/site-1/devices?page=4").text
    assert listed.count('<article class="gh-device"') == pages.MOST_SHOWN
    assert "page=3" in listed
    assert "page=5" in listed
    assert officer.get("/households/site-1/devices?page=5").text.count('<article class="gh-device"') == 5
    text = officer.get("/households/site-1").text
    assert text.count('<article class="gh-finding') == queries.MOST_OPEN_SHOWN
    assert "3 more are open and not shown here." in text


@pytest.mark.req("R52")
def test_no_page_speaks_of_guilt(officer: FlaskClient, seed: Any) -> None:
    seed.site()
    seed.device()
    seed.finding()
    seed.finding("find-2", kind="listed-name", hit=seed.hit())
    for path in ("/", "/households/site-1", "/households/site-1/findings/find-1", "/households/site-1/findings/find-2"):
        text = _text(officer.get(path).text).lower()
        for word in ("breach", "offender", "suspect", "violat", "guilt"):
            assert word not in text, (path, word)


@pytest.mark.req("R10")
def test_no_page_uses_network_terms_where_nothing_was_unfolded(officer: FlaskClient, seed: Any) -> None:
    seed.site()
    seed.site("site-2", status={"online": False, "at": datetime.fromtimestamp(seed.clock.at, UTC).isoformat()})
    seed.device()
    seed.finding()
    seed.finding("find-2", kind="listed-name", hit=seed.hit())
    pages = ("/", "/households", "/households/site-1", "/households/site-2", "/nowhere")
    for path in (*pages, "/households/site-1/findings/find-1", "/households/site-1/findings/find-2"):
        shown = re.sub(r"<details.*?</details>", "", officer.get(path).text, flags=re.DOTALL)
        words = set(re.findall(r"[a-z]+", _text(shown).lower()))
        assert not words & TERMS, path


@pytest.mark.req("R47")
def test_households_of_one_title_stay_two(officer: FlaskClient, seed: Any) -> None:
    seed.site("site-1", title="NM-1")
    seed.site("site-2", title="NM-1")
    seed.device(site="site-1", label="black phone")
    assert 'href="/households/site-1"' in officer.get("/households").text
    assert 'href="/households/site-2"' in officer.get("/households").text
    assert "black phone" in officer.get("/households/site-1/devices").text
    assert "black phone" not in officer.get("/households/site-2/devices").text


@pytest.mark.req("R41")
def test_a_household_asks_the_database_a_bounded_number_of_times(
    officer: FlaskClient, seed: Any, engine: Engine
) -> None:
    seed.site()
    for number in range(300):
        seed.device(f"dev-{number}")
        seed.finding(f"find-{number}", device_id=f"dev-{number}", state="open" if number % 2 else "closed")
    officer.get("/households/site-1")
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        officer.get("/households/site-1")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(asked) == 15, asked


def test_records_of_a_newer_box_are_counted_and_not_passed_over(officer: FlaskClient, seed: Any) -> None:
    seed.site("site-new")
    assert "Not shown yet" not in officer.get("/households/site-new/box").text
    row = {"type": "gatehouse.dream.v1", "digest": "0", "received_at": 1.0, "payload": {}, "unread": "{}"}
    for number in range(2):
        seed._insert(schema.event, {"source": "s", "id": f"e1-{number}", "site": "site-new"} | row)
    assert "2 records that are kept here and cannot be shown" in officer.get("/households/site-new/box").text
