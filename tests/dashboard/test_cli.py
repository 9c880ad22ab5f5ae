from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import select

from dashboard import auth, clock
from dashboard.cli import main
from dashboard.store import schema
from dashboard.store.engine import open_engine, reading
from wire.keys import public_text


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
