"""Manifest, bill of materials, and the comparison of two builds."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

ABOUT = {"compatible": "gatehouse-qemu", "version": "2026.11.1", "board": "qemu"}
PACKAGES = [("libc6", "2.36-9+deb12u14", "amd64", "glibc"), ("libstdc++6", "12.2.0-14", "amd64", "gcc-12")]
PYTHON = [("pydantic", "2.12.0"), ("h11", "0.16.0")]
EPOCH = 1_700_000_000


def test_the_bill_is_spdx_to_spdx_s_own_reader(tmp_path: Path) -> None:
    from imaging import sbom

    parse = pytest.importorskip("spdx_tools.spdx.parser.parse_anything")
    validate = pytest.importorskip("spdx_tools.spdx.validation.document_validator")
    bill = tmp_path / "bill.spdx.json"
    bill.write_text(sbom.as_json(sbom.document(ABOUT, PACKAGES, PYTHON, epoch=EPOCH)))
    document = parse.parse_file(str(bill))
    assert validate.validate_full_spdx_document(document) == []
    assert {package.name for package in document.packages} == {"gatehouse-qemu-2026.11.1", "libc6", "libstdc++6", "pydantic", "h11"}  # fmt: skip


def test_the_bill_is_the_same_for_the_same_image_and_another_for_another() -> None:
    from imaging import sbom

    one = sbom.as_json(sbom.document(ABOUT, PACKAGES, PYTHON, epoch=EPOCH))
    assert one == sbom.as_json(sbom.document(ABOUT, PACKAGES, PYTHON, epoch=EPOCH))
    other = sbom.document(ABOUT, PACKAGES[:1], PYTHON, epoch=EPOCH)
    assert other["documentNamespace"] != json.loads(one)["documentNamespace"]
    locators = [ref["referenceLocator"] for item in json.loads(one)["packages"] for ref in item["externalRefs"]]
    assert "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64&distro=bookworm" in locators
    assert "pkg:pypi/pydantic@2.12.0" in locators


def test_pins_are_read_from_a_lock() -> None:
    from imaging import sbom

    lock = "pydantic==2.12.0 \\\n    --hash=sha256:00\nuvicorn[standard]==1.0 \\\n    --hash=sha256:11\n# via x==1\n"
    assert sbom.pinned(lock) == [("pydantic", "2.12.0"), ("uvicorn", "1.0")]


def built(folder: Path, tree: Path) -> None:
    from imaging import manifest, sbom

    folder.mkdir()
    made = manifest.of(tree, about=ABOUT, packages=PACKAGES, kernel="6.1.0-1", parts=[tree / "a"])
    (folder / "qemu.manifest.json").write_text(manifest.as_json(made))
    (folder / "qemu.spdx.json").write_text(sbom.as_json(sbom.document(ABOUT, PACKAGES, PYTHON, epoch=EPOCH)))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "a").write_text("a")
    (folder / "link").symlink_to("a")
    (folder / "folder").mkdir(mode=0o750)
    return folder


def test_every_file_is_in_the_manifest(tree: Path) -> None:
    from imaging import manifest

    made: dict[str, Any] = manifest.of(tree, about=ABOUT, packages=PACKAGES, kernel="6", parts=[tree / "a"])
    digest = hashlib.sha256(b"a").hexdigest()
    assert set(made["files"]) == {"a", "link", "folder"}
    assert made["files"]["a"].endswith(digest)
    assert made["files"]["link"].endswith("-> a")
    assert made["files"]["folder"].startswith("drwxr-x--- ")
    assert made["parts"] == {"a": {"sha256": digest, "octets": 1}}
    assert made["packages"]["libc6"] == "2.36-9+deb12u14"


def test_two_builds_are_compared_file_by_file(tree: Path, tmp_path: Path) -> None:
    from imaging import compare

    built(tmp_path / "one", tree)
    built(tmp_path / "two", tree)
    assert compare.builds(tmp_path / "one", tmp_path / "two", "qemu") == []
    (tree / "a").write_text("b")
    (tree / "new").touch()
    shutil.rmtree(tmp_path / "two")
    built(tmp_path / "two", tree)
    found = compare.builds(tmp_path / "one", tmp_path / "two", "qemu")
    assert [line.split(": ")[:2] for line in found] == [["parts", "a"], ["files", "a"], ["files", "new"]]
    assert "not there |" in found[-1]
