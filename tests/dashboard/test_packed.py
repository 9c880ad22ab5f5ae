from __future__ import annotations

import gzip

import pytest
from flask.testing import FlaskClient


@pytest.mark.req("R41")
def test_a_style_sheet_goes_out_packed_where_the_browser_takes_that(stranger: FlaskClient) -> None:
    plain = stranger.get("/static/govuk.css")
    packed = stranger.get("/static/govuk.css", headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.get_data()) == plain.get_data()
    assert len(packed.get_data()) < len(plain.get_data()) / 4
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert packed.get_etag() != plain.get_etag()
    refused = stranger.get("/static/govuk.css", headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused.headers
    for answer in (plain, packed, refused):
        answer.close()


def test_a_page_never_does(stranger: FlaskClient) -> None:
    page = stranger.get("/sign-in", headers={"Accept-Encoding": "gzip"})
    assert page.status_code == 200
    assert "Content-Encoding" not in page.headers
