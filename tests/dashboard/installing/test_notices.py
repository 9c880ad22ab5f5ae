from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.installing import notices
from dashboard.installing.notices import LANGUAGES, Operator, notice
from dashboard.installing.order import clauses
from wire.authority import Authority

OPERATOR = Operator(
    name="Northmoor Supervision Unit",
    contact="Ask the duty officer: 01632 960000",
    complaints="Write to the data protection officer",
    help_lines=("Confidential help: 0808 157 0000",),
)


def document(*chosen: str, kind: str = "order") -> Authority:
    return Authority.model_validate(
        {
            "id": "authority-1",
            "number": 1,
            "kind": kind,
            "reference": "EX-1",
            "purpose": "prevent",
            "tenant": "northmoor",
            "site": "box-7",
            "responsible_officer": "duty officer",
            "issued_at": datetime(2026, 1, 1, tzinfo=UTC),
            "not_before": datetime(2026, 1, 2, tzinfo=UTC),
            "not_after": datetime(2026, 7, 1, tzinfo=UTC),
            "review_date": datetime(2026, 4, 1, tzinfo=UTC),
            "clauses": clauses(chosen, ["gambling"]),
        }
    )


def day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return len(value) if isinstance(value, list) else type(value)


def whole(made: notices.Notice) -> str:
    return "\n".join(text for item in made.sections for text in (item.title, *item.paragraphs, *item.items))


@pytest.mark.req("R59", "R8")
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_all_of_it(language: str) -> None:
    assert shape(dict(notices.words(language))) == shape(dict(notices.words("en")))
    made = notice(document("register", "signs", "lists", "block", "quarantine"), OPERATOR, language, day=day)
    text = whole(made)
    said = notices.words(language)
    for part in ("2026-01-02", "2026-06-30", OPERATOR.name, OPERATOR.contact, OPERATOR.help_lines[0]):
        assert part in text
    for part in (said["held"], said["blocked"], said["what"]["list_hits"], said["whose"]["household"]):
        assert part in text
    assert said["what"]["full_names"] not in text
    assert "{" not in text
    assert made.machine_made is (language != "en")
    assert made.direction == ("rtl" if language in ("ar", "ur") else "ltr")


@pytest.mark.req("R58", "S8")
def test_a_partner_is_neither_blamed_nor_made_to_watch() -> None:
    text = whole(notice(document(), OPERATOR, "en", day=day))
    assert "nobody blames you" in text
    assert "Nobody asks you to watch or to report anybody" in text


@pytest.mark.req("R55")
def test_it_says_of_whose_devices_what_is_kept() -> None:
    made = notice(document("lists", "signs"), OPERATOR, "en", day=day)
    (kept,) = [item for item in made.sections if item.title == "What it keeps, and of which devices"]
    assert len(kept.items) == 2
    assert kept.items[0].startswith("Of registered devices of the person: when it is connected,")
    assert "names of sites" not in kept.items[1]
    assert "devices of others who live here" in kept.items[1]


def test_without_an_order_it_says_that_nothing_is_kept() -> None:
    made = notice(None, OPERATOR, "en", day=day)
    assert "keeps no records about devices yet" in whole(made)
    assert "What it keeps, and of which devices" not in [item.title for item in made.sections]


def test_consent_can_be_withdrawn_and_an_unknown_language_is_english() -> None:
    made = notice(document(kind="consent"), OPERATOR, "xx", day=day)
    assert made.language == "en"
    assert "may withdraw at any time" in whole(made)
    other = notice(document("lists"), OPERATOR, "en", day=day)
    assert made.sha256 != other.sha256


def test_files_are_within_their_bound() -> None:
    sizes = {path.name: path.stat().st_size for path in notices.FOLDER.glob("*.toml")}
    assert set(sizes) == {f"{code}.toml" for code in LANGUAGES}
    assert max(sizes.values()) < notices.MOST_FILE
    assert [code for code, _name in notices.names()] == list(LANGUAGES)
