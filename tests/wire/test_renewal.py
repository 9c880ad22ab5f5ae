from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from wire.renewal import RenewalRequest, renewal_bytes

AT = datetime(2026, 3, 1, 18, 30, 0, 250000, tzinfo=UTC)


@pytest.mark.req("N3")
def test_what_is_signed_names_box_request_and_moment() -> None:
    signed = renewal_bytes(tenant="example", site="site-1", csr="csr", at=AT)
    assert signed == (b'gatehouse/renewal/v1\n{"at_ms":1772389800250,"csr":"csr","site":"site-1","tenant":"example"}')
    elsewhere = AT.astimezone(timezone(timedelta(hours=5)))
    assert renewal_bytes(tenant="example", site="site-1", csr="csr", at=elsewhere) == signed


def test_a_request_is_bounded() -> None:
    with pytest.raises(ValidationError):
        RenewalRequest(tenant="example", site="site-1", csr="x" * 4097, at=AT, signature="A" * 86 + "==")
