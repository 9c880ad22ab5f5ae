"""Where the guest's kernel is looked for, and what is said where it cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.guest import kernel as kernels
from lab.guest.kernel import GuestMissingError, Kernel, kernel


def test_what_is_there_is_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "_fetch", lambda _folder: pytest.fail("it is there"))
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    image = tmp_path / "linux-image-6.1.0-1-amd64" / "boot" / "vmlinuz-6.1.0-1-amd64"
    image.parent.mkdir(parents=True)
    image.touch()
    found = kernel(tmp_path)
    assert (found.version, found.tree) == ("6.1.0-1-amd64", tmp_path / "linux-image-6.1.0-1-amd64")


def test_a_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None if name == "depmod" else name)
    with pytest.raises(GuestMissingError, match="depmod"):
        kernel(tmp_path)


def test_a_module_that_is_not_there_is_named(tmp_path: Path) -> None:
    if not Path("/usr/sbin/modprobe").exists() and not Path("/sbin/modprobe").exists():
        pytest.skip("modprobe is not installed")
    (tmp_path / "lib" / "modules" / "6.1").mkdir(parents=True)
    with pytest.raises(GuestMissingError, match="no module mac80211_hwsim"):
        Kernel(image=tmp_path, tree=tmp_path, version="6.1").modules(["mac80211_hwsim"])
