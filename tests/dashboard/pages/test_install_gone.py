from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient


@pytest.mark.req("R6")
def test_there_is_a_certificate_of_a_removal_that_is_done_and_of_nothing_else(
    officer: FlaskClient, fitting: Any
) -> None:
    fitting.claim(officer)
    for path in ("removal", "removal.pdf"):
        assert officer.get(f"{fitting.install}/{path}").status_code == 404, "that is an installation"
    at = fitting.post(officer, "/install", "/install", kind="removal", site="box-7").location
    for path in ("removal", "removal.pdf"):
        assert officer.get(f"{at}/{path}").status_code == 404, "it is not done"
