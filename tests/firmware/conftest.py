"""Made-up households, their reviewed renderings, and a network namespace to try files in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from firmware import household, render
from firmware.household import Household
from firmware.wireless import Secrets

GOLDEN = Path(__file__).parent / "golden"
HOMES = tuple(sorted(path.name for path in (GOLDEN / "homes").iterdir()))
FIRST = "wired"
"""Its renderings are kept whole; of the other homes, what differs from them."""

Runner = Callable[[str], "subprocess.CompletedProcess[str]"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "home_name" in metafunc.fixturenames:
        metafunc.parametrize("home_name", HOMES)


@pytest.fixture
def made_up() -> household.Household:
    return household.load(GOLDEN / "household.toml")


@pytest.fixture
def secrets() -> Secrets:
    return Secrets(passphrase="correct horse battery")


@pytest.fixture
def home(home_name: str) -> Household:
    """Each of the made-up homes in turn."""
    return household.load(GOLDEN / "homes" / home_name / "household.toml")


@pytest.fixture
def homes() -> dict[str, Household]:
    return {name: household.load(GOLDEN / "homes" / name / "household.toml") for name in HOMES}


@pytest.fixture
def rendered(home: Household, secrets: Secrets) -> dict[str, str]:
    """All files of each of the made-up homes in turn, as they are at boot."""
    return render.render(home, secrets=secrets, wan_tap=False)


@pytest.fixture
def check_reviewed() -> Callable[[str, Mapping[str, str], Mapping[str, str]], None]:
    """Compare files with the reviewed ones in `golden/NAME`, where only what differs from a base is kept."""

    def compare(name: str, files: Mapping[str, str], base: Mapping[str, str]) -> None:
        folder = GOLDEN / name
        own = {path: text for path, text in files.items() if base.get(path) != text}
        if os.environ.get("UPDATE_GOLDEN"):
            for old in folder.glob("*/**/*"):
                if old.is_file():
                    old.unlink()
            for path, text in own.items():
                target = folder / path.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
            pytest.fail(f"{name} written anew: review the change and run again without UPDATE_GOLDEN")
        kept = {f"/{path.relative_to(folder)}": path.read_text() for path in folder.glob("*/**/*") if path.is_file()}
        assert sorted(own) == sorted(kept), "other files than the reviewed ones; UPDATE_GOLDEN=1 writes them anew"
        for path in sorted(own):
            assert own[path] == kept[path], f"{path} differs from the reviewed one; UPDATE_GOLDEN=1 writes it anew"

    return compare


@pytest.fixture
def in_namespace(tmp_path: Path) -> Runner:
    """Run a shell script in a fresh network namespace, as root or in a user namespace of our own."""
    for flags in ("-n", "-Urn"):
        if subprocess.run(["unshare", flags, "true"], check=False, capture_output=True).returncode == 0:
            break
    else:
        pytest.skip("neither root nor unprivileged user namespaces: the kernel cannot be asked")

    def run(script: str) -> subprocess.CompletedProcess[str]:
        path = tmp_path / "script.sh"
        path.write_text("set -e\n" + script)
        return subprocess.run(
            ["unshare", flags, "sh", str(path)], check=False, capture_output=True, text=True, timeout=60
        )

    return run
