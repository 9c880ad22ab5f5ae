from __future__ import annotations

from pathlib import Path

from appliance.keeper.main import AuthorityFile


def test_the_authority_file_is_watched_by_identity(tmp_path: Path) -> None:
    path = tmp_path / "authority.json"
    watched = AuthorityFile(path)
    assert watched.changed()
    assert not watched.changed()
    assert watched.read() is None
    path.write_bytes(b"one")
    assert watched.changed()
    assert not watched.changed()
    (tmp_path / "new").write_bytes(b"two")
    (tmp_path / "new").replace(path)
    assert watched.changed(), "the same size, another file"
    assert watched.read() == b"two"
    path.chmod(0o600)
    assert watched.changed(), "rights were put right: it may be readable now"
    path.unlink()
    path.mkdir()
    assert watched.read() == b"", "there, but no document"
