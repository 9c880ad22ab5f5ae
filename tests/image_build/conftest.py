"""The image build lies in a folder that is no package: it is found here, and its programs for the box are loaded."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMAGE_BUILD = ROOT / "image-build"
if str(IMAGE_BUILD) not in sys.path:
    sys.path.insert(0, str(IMAGE_BUILD))


@pytest.fixture
def here() -> Path:
    return IMAGE_BUILD


@pytest.fixture
def box_program() -> Callable[[str], ModuleType]:
    """A program of the overlay (it has no suffix) as a module."""

    def load(name: str) -> ModuleType:
        path = IMAGE_BUILD / "overlay/common/usr/libexec/gatehouse" / name
        loader = SourceFileLoader(f"box_{name}", str(path))
        spec = importlib.util.spec_from_loader(f"box_{name}", loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        try:
            loader.exec_module(module)
        finally:
            sys.dont_write_bytecode = before
        return module

    return load
