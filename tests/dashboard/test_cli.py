from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import select

from dashboard import auth, clock
from dashboard.cli import main
from dashboard.ingest.lead import Place
from dashboard.store import schema
from dashboard.store.engine import open_engine, reading
from wire.claim import BoxCard, code_digest, sign_card
from wire.keys import key_id, public_text


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    (tmp_path / "secret").write_bytes(os.urandom(32))
    config = tmp_path / "dashboard.toml"
    url = f"sqlite:///{tmp_path / 'pages.db'}"
    config.write_text(f'database_url = "{url}"\ntenant = "t"\noperator = "O"\nsecret_key_file = "secret"\n')

    def do(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["--config", str(config), *arguments])

    do.url = url  # type: ignore[attr-defined]
    return do


def test_a_code_from_the_command_line_signs_in(run: Callable[..., Result]) -> None:
    assert run("init-db").exit_code == 0
    assert run("init-db").exit_code == 0, "a second time changes nothing"
    assert run("add-account", "officer-1").stdout.startswith("acc-")
    code = run("sign-in-code", "officer-1").stdout.strip()
    engine = open_engine(run.url)
    assert auth.sign_in(engine, name="officer-1", code=code, now=clock.now()) is not None
    engine.dispose()


def test_a_household_is_entered_with_its_keys(run: Callable[..., Result]) -> None:
    run("init-db")
    keys = [
        "--verify-key",
        public_text(Ed25519PrivateKey.generate()),
        "--seal-key",
        public_text(X25519PrivateKey.generate()),
    ]
    assert run("add-site", "site-1", "--title", "NM-1", *keys).exit_code == 0
    again = run("add-site", "site-1", "--title", "NM-1", *keys)
    assert (again.exit_code, "already" in again.stderr) == (2, True)
    engine = open_engine(run.url)
    with reading(engine).connect() as connection:
        row = connection.execute(select(schema.site)).mappings().one()
    engine.dispose()
    assert (row["site"], row["tenant"], row["title"], row["heard_at"]) == ("site-1", "t", "NM-1", None)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["add-site", "Site 1", "--title", "T", "--verify-key", "x", "--seal-key", "x"], "cannot be entered"),
        (["add-site", "site-1", "--title", "T", "--verify-key", "x", "--seal-key", "x"], "cannot be entered"),
        (["add-account", " "], "1 to 120 characters"),
        (["sign-in-code", "nobody"], "no account named nobody"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(run: Callable[..., Result], arguments: list[str], text: str) -> None:
    run("init-db")
    result = run(*arguments)
    assert result.exit_code == 2
    assert text in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_missing_database_is_said_plainly(run: Callable[..., Result]) -> None:
    result = run("add-account", "officer-1")
    assert result.exit_code == 2
    assert "has init-db been run?" in result.stderr


def test_missing_settings_are_said_plainly(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--config", str(tmp_path / "none.toml"), "init-db"])
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr


def test_help_names_every_command() -> None:
    text = CliRunner().invoke(main, ["--help"]).stdout
    for name in ("init-db", "add-site", "add-account", "sign-in-code"):
        assert name in text


def _new_keys() -> list[str]:
    return [
        "--verify-key",
        public_text(Ed25519PrivateKey.generate()),
        "--seal-key",
        public_text(X25519PrivateKey.generate()),
    ]


@pytest.mark.req("N15")
def test_a_box_is_replaced_by_one_with_keys_of_its_own(run: Callable[..., Result]) -> None:
    run("init-db")
    first = _new_keys()
    run("add-site", "site-1", "--title", "NM-1", *first)
    assert run("replace-box", "site-2", *_new_keys()).exit_code == 2
    assert "to be replaced" in run("replace-box", "site-1", *first).stderr
    assert run("replace-box", "site-1", "--verify-key", "no", "--seal-key", "no").exit_code == 2
    second = _new_keys()
    assert run("replace-box", "site-1", *second).exit_code == 0
    engine = open_engine(run.url)
    with reading(engine).connect() as connection:
        row = connection.execute(select(schema.site)).mappings().one()
        assert connection.execute(select(schema.replacement.c.done_at)).scalar_one() is None
    engine.dispose()
    assert [row["verify_key"], row["seal_key"]] == [second[1], second[3]]


@pytest.mark.req("N17")
def test_a_backup_is_made_and_restored(run: Callable[..., Result], tmp_path: Path) -> None:
    run("init-db")
    run("add-account", "officer-1")
    copy = tmp_path / "copy.backup"
    assert "can be opened for 22 hours" in run("backup", str(copy)).stderr
    assert run("restore", str(copy)).exit_code == 2
    assert run("restore", "--replace", str(copy)).exit_code == 0
    assert "0 keys" in run("expire-backups").stderr
    assert run("purge").exit_code == 0
    assert run("add-account", "officer-1").exit_code == 2, "the account came back"


@pytest.mark.req("R66")
def test_a_changed_audit_is_found_out(run: Callable[..., Result]) -> None:
    run("init-db")
    run("add-account", "officer-1")
    digest = run("audit-verify").stdout.strip()
    run("add-account", "officer-2")
    assert run("audit-verify", "--expect", digest).exit_code == 0
    assert run("audit-verify", "--expect", "ab" * 32).exit_code == 2
    engine = open_engine(run.url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_no_update")
        connection.exec_driver_sql("UPDATE audit SET subject = 'other' WHERE audit_id = 1")
    engine.dispose()
    found = run("audit-verify")
    assert (found.exit_code, "line 1 does not follow" in found.stderr) == (2, True)


@pytest.mark.req("N3")
def test_a_box_is_revoked_once(run: Callable[..., Result]) -> None:
    run("init-db")
    run("add-site", "site-1", "--title", "NM-1", *_new_keys())
    done = run("revoke-site", "site-1")
    assert (done.exit_code, "is revoked" in done.stderr) == (0, True)
    again = run("revoke-site", "site-1")
    assert (again.exit_code, "revoked already" in again.stderr) == (2, True)


def test_all_of_it_is_copied_to_another_database_or_nothing(run: Callable[..., Result], tmp_path: Path) -> None:
    run("init-db")
    run("add-account", "officer-1")
    target = f"sqlite:///{tmp_path / 'other.db'}"
    done = run("copy-to", target)
    assert done.exit_code == 0, done.output
    assert "are copied and checked" in done.stderr
    engine = open_engine(target)
    with engine.connect() as connection:
        assert connection.execute(select(schema.account.c.name)).scalars().all() == ["officer-1"]
    engine.dispose()
    again = run("copy-to", target)
    assert again.exit_code == 2
    assert "not empty" in again.stderr
    assert run("copy-to", "nonsense").exit_code == 2


def test_nothing_is_copied_while_ingest_works(run: Callable[..., Result], tmp_path: Path) -> None:
    run("init-db")
    engine = open_engine(run.url)  # type: ignore[attr-defined]
    place = Place(engine, shared=False)
    done = run("copy-to", f"sqlite:///{tmp_path / 'other.db'}")
    assert done.exit_code == 2
    assert "another ingest worker is at work" in done.stderr
    place.close()
    engine.dispose()


def test_a_worker_is_let_in_only_where_the_settings_lead_to_the_broker(run: Callable[..., Result]) -> None:
    done = run("add-worker", "ingest-2")
    assert done.exit_code == 2
    assert "[control]" in done.stderr


def test_a_new_box_is_entered_from_its_card(run: Callable[..., Result], tmp_path: Path) -> None:
    run("init-db")
    key = Ed25519PrivateKey.generate()
    made = BoxCard(
        tenant="t",
        site="box-7",
        verify_key=public_text(key),
        seal_key=public_text(X25519PrivateKey.generate()),
        code_sha256=code_digest("box-7", "ABCDEFGH23456789"),
        made_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    path = tmp_path / "card.json"
    path.write_text(sign_card(made, key).model_dump_json())
    done = run("stock-box", str(path))
    assert (done.exit_code, key_id(made.verify_key) in done.stderr) == (0, True)
    engine = open_engine(run.url)
    with reading(engine).connect() as connection:
        row = connection.execute(select(schema.box_stock)).mappings().one()
    engine.dispose()
    assert (row["site"], row["claimed_at"], row["tries"]) == ("box-7", None, 0)
    path.write_text(sign_card(made, Ed25519PrivateKey.generate()).model_dump_json())
    assert "did not sign" in run("stock-box", str(path)).stderr
    path.write_text(sign_card(made.model_copy(update={"tenant": "u"}), key).model_dump_json())
    assert "is for u" in run("stock-box", str(path)).stderr
    assert "cannot be read" in run("stock-box", str(tmp_path / "none")).stderr
    run("add-site", "box-7", "--title", "NM-1", "--verify-key", made.verify_key, "--seal-key", made.seal_key)
    path.write_text(sign_card(made, key).model_dump_json())
    assert "in use" in run("stock-box", str(path)).stderr


@pytest.mark.req("R39")
def test_households_are_given_taken_and_covered_from_the_command_line(run: Callable[..., Result]) -> None:
    run("init-db")
    keys = [public_text(Ed25519PrivateKey.generate()), public_text(X25519PrivateKey.generate())]
    for site in ("site-1", "site-2"):
        run("add-site", site, "--title", site, "--verify-key", keys[0], "--seal-key", keys[1])
    for name in ("one", "two"):
        run("add-account", name)
    assert "2 households given" in run("assign", "one", "--all").stderr
    assert "1 households taken away" in run("assign", "one", "site-1", "--take-away").stderr
    assert "stands in" in run("cover", "two", "one", "--days", "3").stderr
    for arguments, text in (
        (("assign", "one"), "name the households"),
        (("assign", "nobody", "--all"), "no account"),
        (("assign", "one", "site-9"), "no household site-9"),
        (("cover", "one", "one", "--days", "3"), "themselves"),
    ):
        failed = run(*arguments)
        assert (failed.exit_code, text in failed.stderr) == (2, True), failed.stderr
    engine = open_engine(run.url)
    with reading(engine).connect() as connection:
        lines = connection.execute(select(schema.audit.c.action, schema.audit.c.account_id)).all()
    engine.dispose()
    assert [row for row in lines if row[0] in ("assign", "unassign", "cover")] == [
        ("assign", None),
        ("assign", None),
        ("unassign", None),
        ("cover", None),
    ]
