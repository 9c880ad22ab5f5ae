from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dashboard.bundles import report
from dashboard.bundles.records import read
from lab.faults import bundling


@pytest.fixture
def made(tmp_path: Path) -> report.Report:
    bundle = bundling.make(tmp_path)
    given: dict[str, Any] = json.loads(bundle.given["box.json"])
    authorities = [json.loads(line) for line in bundle.given["authority.jsonl"].splitlines()]
    records = read(bundle.given["records.jsonl"])
    return report.make(records, given, label="INTELLIGENCE", statement="", authorities=authorities)


def lines(made: report.Report, heading: str) -> str:
    return "\n".join(next(section.lines for section in made.sections if section.heading == heading))


@pytest.mark.req("R68", "R71")
def test_it_says_what_when_how_sure_and_what_else_could_explain_it(made: report.Report) -> None:
    found = lines(made, "What was found")
    assert "(device d-1)" in found
    assert "How sure: 60 in 100." in found
    assert "What else could explain it: A holiday." in found
    assert "clause 1" in found


@pytest.mark.req("N4", "R20")
def test_it_says_what_the_box_could_not_see_and_the_limits(made: report.Report) -> None:
    assert "cause sensor-away" in lines(made, "When the box could not see")
    assert "4 records are about devices that were not asked for" in lines(made, "What is not in here")
    assert "Who used a device is not in these records." in lines(made, "What these records cannot show")
    assert "Authority order-1, number 1" in lines(made, "What this is")


@pytest.mark.req("R63")
def test_as_page_and_as_paper_it_is_the_same_each_time(made: report.Report) -> None:
    page, paper = report.as_html(made), report.as_pdf(made)
    assert page == report.as_html(made)
    assert paper == report.as_pdf(made)
    assert paper.startswith(b"%PDF-")
    assert b"<script" not in page
    assert b"person" not in page.split(b"cannot show")[0].lower()


def test_long_sections_say_how_much_is_left_out() -> None:
    told = report._bounded([str(number) for number in range(report.MAX_ROWS + 7)], "none")
    assert len(told) == report.MAX_ROWS + 1
    assert told[-1] == "7 more are in the records."
    assert report._bounded([], "none") == ("none",)


def test_words_of_others_are_text_and_nothing_else() -> None:
    odd = report.Report(
        title="<b>", label="&", statement="<script>", sections=(report.Section(heading="<i>", lines=("<img src=x>",)),)
    )
    page = report.as_html(odd)
    assert b"<script>" not in page
    assert b"<img" not in page
    assert report.as_pdf(odd).startswith(b"%PDF-")
