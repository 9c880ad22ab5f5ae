from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance import requests
from appliance import settings as box_settings
from appliance.keeper.root import root_side
from appliance.releases import NO_VERSION, Programs, Record
from appliance.requests import Answer, RequestName, TakeReleaseRequest
from wire.keys import public_text
from wire.release import SignedRelease


def test_a_box_without_the_section_takes_no_releases(box_toml: Callable[..., Path]) -> None:
    assert root_side(box_settings.load(box_toml())) is None


def test_requests_and_records_lie_where_the_settings_say(box_toml: Callable[..., Path], tmp_path: Path) -> None:
    path = box_toml()
    key = public_text(Ed25519PrivateKey.generate())
    with path.open("a") as file:
        file.write(f'\n[software]\nrelease_keys = ["{key}"]\nboard = "pi4"\nstate = "{tmp_path}/upkeep"\n')
        file.write(f'version_file = "{tmp_path}/VERSION"\n')
    settings = box_settings.load(path)
    root = root_side(settings)
    assert root is not None
    assert [public_text(each) for each in root.pinned] == [key]
    assert (root.running().version, root.record(), root.programs()) == (NO_VERSION, Record(), Programs())
    asked = TakeReleaseRequest.model_construct(
        request_id="r-1", at=1.0, name=RequestName.TAKE_RELEASE, signed=SignedRelease.model_construct()
    )
    assert root.ask(asked)
    assert (settings.run_dir / "requests" / "take-release.json").exists()
    assert root.answer() is None
    answer = Answer(request_id="r-1", name=RequestName.TAKE_RELEASE, outcome="done", at=2.0)
    requests.reply(settings.run_dir, answer)
    assert root.answer() == answer
    (settings.run_dir / "requests" / "take-release.json").unlink()
    (settings.run_dir / "requests").rmdir()
    (settings.run_dir / "requests").write_text("in the way")
    assert not root.ask(asked)
