from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance import settings as box_settings
from appliance.fitting import answer, first, taking
from appliance.fitting.answer import PASSPHRASES_FILE, Planned
from appliance.messages import Passphrase
from appliance.passphrases import render
from firmware import layout
from firmware.household import load
from wire import authority as documents
from wire.authority import Authority, RegisterClause
from wire.enrolment import MAX_ANSWER, EnrolmentError, open_, seal
from wire.keys import seal_key


class CutError(Exception):
    """The power went."""


def read(box: Any, raw: bytes, now: float) -> tuple[Planned, ...]:
    said = answer.read(raw, keys=box.keys, operator=box.operator, site=box.site, csr=box.csr, now=now)
    house = load(box.places.at(layout.HOUSEHOLD_FILE))
    return answer.files(said, keys=box.keys, operator=box.operator, house=house)


@pytest.mark.req("R2", "R5")
def test_an_enrolment_leaves_a_box_that_all_processes_can_run_from(box: Any, service: Any, now: float) -> None:
    taking.take(box.places, read(box, service.answer(box), now))
    settings_ = box_settings.load(box.places.at(layout.BOX_FILE))
    assert (settings_.tenant, settings_.site, settings_.broker.host) == ("example", box.site, "broker.example.org")
    assert str(settings_.keys.signing_key) == layout.SIGNING_KEY
    assert settings_.uids["keeper"] == layout.UIDS["keeper"]
    assert settings_.authority.issuers == box.operator.issuers
    assert [item.id for item in settings_.lists] == ["example-list"]
    assert box.places.at(str(settings_.lists[0].ca)).read_text() == box.operator.ca
    house = load(box.places.at(layout.HOUSEHOLD_FILE))
    assert house.wifi is not None
    assert (house.wifi.ssid, house.wan.kind) == ("Rose Cottage", "dhcp"), "the way out is tried before, or stays"
    assert not any(b"provider-canary-77" in content for content in box.everything().values())
    assert box.places.at(layout.PASSPHRASE_FILE).read_text().splitlines() == [
        "keyid=household 00:00:00:00:00:00 correct horse battery",
        "keyid=laptop-1 00:00:00:00:00:00 a laptop's own words",
    ]
    assert b"correct horse" not in box.places.at(answer.PASSPHRASES_FILE).read_bytes()
    assert not box.places.at(layout.LABEL_FILE).exists()
    assert not box.places.at(taking.STAGED).exists()


def test_the_authority_lies_where_the_keeper_looks(box: Any, service: Any, now: float) -> None:
    moment = datetime.fromtimestamp(now, UTC)
    document = Authority(
        id="authority-1", number=1, kind="order", reference="EX/1", purpose="prevent", tenant="example", site=box.site,
        responsible_officer="officer-1", issued_at=moment, not_before=moment, not_after=moment + timedelta(days=9),
        review_date=moment + timedelta(days=8), clauses=(RegisterClause(number="1"),),
    )  # fmt: skip
    signed = documents.sign(document, service.issuer).model_dump_json()
    taking.take(box.places, read(box, service.answer(box, authority=signed), now))
    assert box.places.at(layout.AUTHORITY_FILE).read_text() == signed
    other = documents.sign(document, Ed25519PrivateKey.generate()).model_dump_json()
    with pytest.raises(EnrolmentError, match="no issuer"):
        read(box, service.answer(box, authority=other), now)


def test_without_a_network_the_box_keeps_what_it_has(box: Any, service: Any, now: float) -> None:
    before = box.everything()
    taking.take(box.places, read(box, service.answer(box, network=None), now))
    after = box.everything()
    for name in ("config/household.toml", "state/warden/wifi.psk"):
        assert after[name] == before[name]


def test_what_does_not_count_is_refused(box: Any, service: Any, now: float, new_box: Callable[[str], Any]) -> None:
    other = new_box("other")

    def says(raw: bytes, at: float = now) -> str:
        with pytest.raises(EnrolmentError) as caught:
            read(box, raw, at)
        return str(caught.value)

    assert "not sealed for this box" in says(service.answer(other))
    assert "not sealed" in says(b"junk")
    assert "too large" in says(b"x" * (MAX_ANSWER + 1))
    assert "another box" in says(service.answer(box, site="box-other00000"))
    assert "another request" in says(service.answer(box, request_key="0" * 64))
    assert "another's" in says(service.answer(box, certificate=service.certificate(other.csr)))
    assert "another's" in says(service.answer(box, certificate=service.certificate(box.csr, name="box-x")))
    stranger = type(service)()
    assert "not one of the authority" in says(service.answer(box, certificate=stranger.certificate(box.csr)))
    assert "past already" in says(service.answer(box), now + 8 * 86400)
    assert "a key in it" in says(service.answer(box, server_seal="no key"))
    forged = seal(
        service.enrolment(box), signer=Ed25519PrivateKey.generate(), recipient=seal_key(box.card.card.seal_key)
    )
    assert "no key that this box knows" in says(forged)
    for name, content in box.everything().items():
        assert not name.startswith("config/.enrolment"), content


def test_the_answer_opens_only_whole(box: Any, service: Any, now: float) -> None:
    raw = service.answer(box)
    assert open_(raw, recipient=box.keys.sealing, pinned=[service.signer.public_key()]).site == box.site
    for cut in (1, 100, len(raw) // 2, len(raw) - 4):
        with pytest.raises(EnrolmentError):
            read(box, raw[:cut], now)


@pytest.mark.req("R2", "N15")
def test_a_cut_at_any_step_leaves_a_new_box_or_an_enrolled_one(box: Any, service: Any, now: float) -> None:
    """At each step the power goes; the next start finds all of the old or all of the new, and asks or goes on."""
    files = read(box, service.answer(box), now)
    before = box.everything()
    told: list[str] = []
    taking.take(box.places, files, at_step=told.append)
    wanted = box.everything()
    assert len(told) > 15
    for step in range(len(told)):
        _restore(box, before)
        left = step

        def cut(_step: str) -> None:
            nonlocal left
            if left == 0:
                raise CutError
            left -= 1

        with pytest.raises(CutError):
            taking.take(box.places, files, at_step=cut)
        first.boot(box.places, now=now)
        after = box.everything()
        if box.places.enrolled:
            assert after == wanted, told[step]
        else:
            assert after == before, told[step]
            assert told[step].startswith(("write", "name")), told[step]


def test_a_cut_while_a_cut_is_mended_is_mended_too(box: Any, service: Any, now: float) -> None:
    files = read(box, service.answer(box), now)

    def cut(step: str) -> None:
        if step == f"place {layout.BOX_FILE}":
            raise CutError

    with pytest.raises(CutError):
        taking.take(box.places, files, at_step=cut)
    for _ in range(3):
        with pytest.raises(CutError):
            taking.resume(box.places, at_step=cut)
        assert not box.places.enrolled
    assert taking.resume(box.places)
    assert box.places.enrolled


def test_more_files_than_any_enrolment_has_are_refused(box: Any) -> None:
    many = [Planned(path=f"{layout.CONFIG}/{number}", content=b"") for number in range(taking.MOST_FILES + 1)]
    with pytest.raises(ValueError, match="the most is"):
        taking.take(box.places, many)
    assert not box.places.at(taking.STAGED).exists()


def _restore(box: Any, files: dict[str, bytes]) -> None:
    data = box.places.at(layout.DATA)
    for path in [path for path in data.rglob("*") if path.is_file()]:
        if path.relative_to(data).as_posix() not in files:
            path.unlink()
    for name, content in files.items():
        (data / name).write_bytes(content)


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bent_answers_never_raise_anything_else(sealed: tuple[Any, bytes], data: st.DataObject) -> None:
    box, raw = sealed
    junk, at = data.draw(st.binary(max_size=400)), data.draw(st.integers(0, len(raw)))
    bent = raw[:at] + junk + raw[at + len(junk) :]
    if b"".join(bent.split()) == raw:
        return
    with pytest.raises(EnrolmentError):
        open_(bent, recipient=box, pinned=[])


@pytest.fixture
def sealed(box: Any, service: Any) -> tuple[Any, bytes]:
    return box.keys.sealing, service.answer(box)


@pytest.mark.req("R2", "N15")
def test_where_the_disk_failed_in_the_middle_the_next_answer_is_taken(box: Any, service: Any, now: float) -> None:
    def fails(step: str) -> None:
        if step.startswith(f"place {layout.HOUSEHOLD_FILE}"):
            raise OSError(5, "the card does not answer")

    with pytest.raises(OSError, match="does not answer"):
        taking.take(box.places, read(box, service.answer(box), now), at_step=fails)
    assert not box.places.enrolled
    taking.take(box.places, read(box, service.answer(box), now))
    assert box.places.enrolled
    assert not box.places.at(taking.STAGED).exists()


@pytest.mark.req("R57", "N9")
def test_what_enrolment_left_goes_when_passphrases_were_written_since(box: Any, service: Any, now: float) -> None:
    taking.take(box.places, read(box, service.answer(box), now))
    left, psk = box.places.at(PASSPHRASES_FILE), box.places.at(layout.PASSPHRASE_FILE)
    first.boot(box.places, now=now)
    assert left.exists(), "the keeper may not have read it yet"
    home = Passphrase(key_id="household", passphrase="another one since", purpose="household")
    psk.write_text(render((home,), written=now))
    first.boot(box.places, now=now)
    assert not left.exists(), "a keeper without its database would bring back what was ended"
    first.boot(box.places, now=now)
    psk.unlink()
    first.boot(box.places, now=now)
