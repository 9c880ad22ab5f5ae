from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from dashboard import auth
from dashboard.access import Role
from dashboard.store import notes


def test_notes_come_newest_first_with_their_author(seed: Any, engine: Engine) -> None:
    seed.site()
    by = auth.add_account(engine, name="officer-9", role=Role.OFFICER, now=0.0)
    with engine.begin() as connection:
        assert notes.last_agency(connection, by) == ""
        for number in range(3):
            kept = notes.add_note(
                connection,
                note_id=f"note-{number}",
                site_id="site-1",
                by=by,
                agency=f"Agency {number}",
                heading="employment" if number else "",
                finding_id=None,
                device_id=None,
                corrects=None,
                text="Text",
                now=float(number),
            )
            assert kept
        found, number = notes.notes_of(connection, "site-1")
        assert [(row.note_id, row.by) for row in found] == [(f"note-{n}", "officer-9") for n in (2, 1, 0)]
        assert number == 3
        assert notes.notes_of(connection, "site-1", heading="employment")[1] == 2
        assert notes.notes_of(connection, "site-2") == ((), 0)
        assert notes.has_note(connection, "site-1", "note-1")
        assert not notes.has_note(connection, "site-2", "note-1")
        assert notes.last_agency(connection, by) == "Agency 2"
