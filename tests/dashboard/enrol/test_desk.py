from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509

from dashboard.enrol.desk import MOST_AN_HOUR, revoke
from dashboard.enrol.issuing import RenewalRefusedError
from wire.codec import payload_json
from wire.renewal import RenewalRequest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()


@pytest.mark.req("N3")
def test_each_request_of_a_known_box_is_one_audit_line(office: Any) -> None:
    assert x509.load_pem_x509_certificate(office.desk.answer(office.request(), NOW))
    with pytest.raises(RenewalRefusedError, match="another time"):
        office.desk.answer(office.request(at=NOW - 3 * 86_400), NOW)
    with pytest.raises(RenewalRefusedError, match="no such box"):
        office.desk.answer(office.request(site="site-9"), NOW)
    assert office.audited() == [
        ("renew-certificate", "site-1", "done"),
        ("renew-certificate", "site-1: it was made at another time", "refused"),
    ]


@pytest.mark.req("N3")
def test_a_revoked_box_gets_none_and_the_revocation_is_audited_once(office: Any) -> None:
    assert revoke(office.engine, site="site-1", by="account-1", now=NOW)
    assert not revoke(office.engine, site="site-1", by="account-1", now=NOW)
    assert not revoke(office.engine, site="site-9", by="account-1", now=NOW)
    with pytest.raises(RenewalRefusedError, match="revoked"):
        office.desk.answer(office.request(), NOW)
    assert [line[0] for line in office.audited()] == ["revoke-box", "renew-certificate"]


def test_a_box_gone_wrong_is_turned_away_until_the_hour_is_over(office: Any) -> None:
    for _ in range(MOST_AN_HOUR):
        office.desk.answer(office.request(), NOW)
    with pytest.raises(RenewalRefusedError, match="too many"):
        office.desk.answer(office.request(), NOW + 3599)
    assert office.desk.share.turned_away == 1
    assert len(office.audited()) == MOST_AN_HOUR
    assert office.desk.answer(office.request(), NOW + 3600)


@pytest.mark.req("N3")
def test_a_stranger_cannot_use_up_a_boxs_share(office: Any) -> None:
    forged = RenewalRequest.model_validate_json(office.request()).model_copy(update={"csr": "another"})
    for _ in range(MOST_AN_HOUR):
        with pytest.raises(RenewalRefusedError, match="not signed"):
            office.desk.answer(payload_json(forged), NOW)
    with pytest.raises(RenewalRefusedError, match="too many"):
        office.desk.answer(payload_json(forged), NOW)
    assert len(office.audited()) == MOST_AN_HOUR, "nor fill the audit"
    assert office.desk.answer(office.request(), NOW)
