"""Shared by all tests: tests marked `lab` skip, with the reason, where the lab cannot run."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from lab.enter import refusal, sealed

_CHROMIUM = Path("/usr/bin/chromium")
_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ROOT = Path(__file__).resolve().parent.parent


def _why_no_lab() -> str | None:
    if sealed():
        return None
    return (
        refusal()
        or "the tests are not in the sealed place: run `make test`, or put `python -m lab.enter --` before pytest"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    wanted = [item for item in items if item.get_closest_marker("lab")]
    if wanted and (why := _why_no_lab()):
        for item in wanted:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the source tree."""
    return ROOT


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Folder for what a test leaves for people to look at, such as a screenshot."""
    folder = ROOT / "artefacts"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    if not _CHROMIUM.exists():
        pytest.skip(f"{_CHROMIUM} is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder whose name is short enough for Unix sockets in it (108 bytes, unix(7))."""
    with tempfile.TemporaryDirectory(prefix="gh-", dir=os.path.realpath("/tmp")) as folder:  # noqa: S108 (short)
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def box_toml(short_path: Path) -> Callable[..., Path]:
    """Writes a whole `box.toml` (and `household.toml`) whose keys and certificates do not exist yet."""

    def write(*, address: str = "127.0.0.1", notice_port: int = 8080, extra: str = "") -> Path:
        (short_path / "household.toml").write_text(
            f"""
notice_port = {notice_port}
[lan]
bridge = "lan0"
address = "{address}"
network = "{address.rsplit(".", 1)[0]}.0/24"
network6 = "2001:db8:1::/64"
[wan]
interface = "wan0"
[resolver]
upstream = ["192.0.2.53"]
"""
        )
        config = short_path / "box.toml"
        config.write_text(
            f"""
tenant = "example"
site = "site-1"
state_dir = "state"
run_dir = "run"
household = "household.toml"
{extra}
[broker]
host = "127.0.0.1"
ca = "ca.pem"
certificate = "box.pem"
key = "box.key"
[keys]
signing_key = "signing.pem"
sealing_key = "sealing.pem"
server_verify = ["{"A" * 43}="]
server_seal = "{"A" * 43}="
[authority]
path = "authority.json"
issuers = ["{"A" * 43}="]
[notice]
operator = "the Example Service"
contact = "Ask the officer at 01632 960000."
complaints = "Write to complaints@example.org."
help_lines = ["Example line: 0808 157 0000"]
"""
        )
        return config

    return write
