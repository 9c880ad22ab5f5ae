"""`tools/tables.py`: what it makes of published packages, and what it says where it cannot."""

from __future__ import annotations

import importlib.util
import io
import struct
import tarfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
IAB_TEXT = """OUI                          Organization
IAB Range                    Organization

00-50-C2                      (hex)         Made-up Works GmbH
7D5000-7D5FFF                 (base 16)     Made-up Works GmbH
                                            Street 1

40-D8-55                      (hex)         Odd Range Ltd
1A1001-1A1FFF                 (base 16)     Odd Range Ltd
"""


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tool_tables", ROOT / "tools" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_blocks_of_4096_are_read(tables: ModuleType) -> None:
    assert tables.iab_rows(IAB_TEXT) == [("0050C27D5", "Made-up Works GmbH")]
    assert tables.iab_rows("(base 16) nothing\nnonsense") == []


def test_prefixes_are_sorted_and_names_stand_once(tables: ModuleType) -> None:
    packed = tables.pack_vendors({"ACDE48": "B", "001122": "A", "001123": "A", "00112": "too short"}, [])
    magic, *counts, names = struct.unpack_from("<4s4I", packed)
    assert (magic, counts, names) == (b"GHV1", [0, 0, 3], 4)
    assert packed.index((0x001122).to_bytes(8, "big")) < packed.index((0xACDE48).to_bytes(8, "big"))
    assert packed.endswith(b"B\0A\0")


def test_a_module_is_read_and_not_run(tables: ModuleType) -> None:
    text = "raise SystemExit\nfrom x import y\nA: list[int] = [1]\nB = {'k': True}\n"
    assert tables.literal(text, "A") == [1]
    assert tables.literal(text, "B") == {"k": True}
    with pytest.raises(tables.TablesError, match="C is not in the module"):
        tables.literal(text, "C")
    with pytest.raises(ValueError, match="malformed"):
        tables.literal("A = open('x')", "A")


def test_services_lose_what_belongs_to_everybody(tables: ModuleType) -> None:
    packed: dict[str, Any] = tables.pack_services(
        zeroconf={"_a._tcp.local.": [{"domain": "x"}, {"domain": "y", "name": "y*"}]},
        homekit={"M1": {"domain": "x", "always_discover": True}},
        ssdp={"x": [{"st": "upnp:rootdevice"}, {"st": "x:one"}], "y": [{"st": "both"}], "z": [{"st": "both"}]},
        dhcp=[
            {"domain": "x", "hostname": "lamp-*"},
            {"domain": "y", "hostname": "ab*"},
            {"domain": "z", "hostname": "connect", "macaddress": "ACDE48*"},
            {"domain": "w", "macaddress": "ACDE49*"},
        ],
    )
    assert packed["services"][0] == {"type": "_a._tcp", "domain": "x"}
    assert packed["upnp"] == {"x:one": "x"}
    assert packed["hosts"] == [("lamp-*", "x")]
    assert packed["prefixes"] == {"ACDE49": "w"}


def test_a_package_that_is_another_is_refused(
    tables: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "oui.tgz"
    with tarfile.open(wrong, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("package/index.json"), io.BytesIO())
    assert tables.main(["--oui", str(wrong), "--into", str(tmp_path / "out")]) == 15
    assert "SHA-512 differs" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_network_is_said(
    tables: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tables, "OUI_URL", "http://127.0.0.1:1/oui.tgz")
    assert tables.main(["--into", str(tmp_path)]) == 13
    assert "Check the network" in capsys.readouterr().err


def filled(tables: ModuleType, folder: Path, *, blocks: bool) -> Path:
    for name in tables.TABLES:
        (folder / name).write_text("made up")
    (folder / tables.STAMP).write_text(tables._stamp(blocks=blocks))
    return folder


def test_tables_that_are_there_are_left_alone(tables: ModuleType, tmp_path: Path) -> None:
    folder = filled(tables, tmp_path, blocks=True)
    assert tables.main(["--into", str(folder)]) == 0
    assert {path.read_text() for path in folder.iterdir() if path.name in tables.TABLES} == {"made up"}


@pytest.mark.parametrize("gone", ["vendors.bin", "services.json", "services.LICENSE.md", ".stamp"])
def test_a_table_that_has_gone_is_packed_again(
    tables: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    (filled(tables, tmp_path, blocks=True) / gone).unlink()
    monkeypatch.setattr(tables, "OUI_URL", "http://127.0.0.1:1/oui.tgz")
    assert tables.main(["--into", str(tmp_path)]) == 13, "it set out to fetch"


def test_blocks_that_are_missing_stop_nothing_and_come_later(
    tables: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    iab = tmp_path / "iab.txt"
    folder = tmp_path / "into"
    folder.mkdir()
    monkeypatch.setattr(tables, "OUI_URL", "http://127.0.0.1:1/oui.tgz")
    arguments = ["--into", str(filled(tables, folder, blocks=False)), "--iab", str(iab)]
    assert tables.main(arguments) == 0
    iab.write_text(IAB_TEXT)
    assert tables.main(arguments) == 13, "now there is more to pack"
    filled(tables, folder, blocks=True)
    iab.unlink()
    assert tables.main(arguments) == 0, "what was packed stays good"


def test_patterns_of_host_names_that_may_be_a_person_s_name_are_left(tables: ModuleType) -> None:
    told = [
        pattern
        for pattern in ("rico*", "yeti*", "ab*", "ps4-*", "tado*", "shutterbox*", "aidot")
        if tables._tells(pattern)
    ]
    assert told == ["ps4-*", "shutterbox*", "aidot"]
