from __future__ import annotations

from firmware import layout


def test_all_that_a_box_keeps_lies_on_the_data_partition() -> None:
    kept = [value for name, value in vars(layout).items() if name.endswith(("_FILE", "_KEY", "CERTIFICATE"))]
    assert len(kept) > 8
    for path in kept:
        assert path.startswith((layout.DATA + "/", layout.BOOT + "/")), path


def test_each_process_has_a_user_of_its_own() -> None:
    assert len(set(layout.UIDS.values())) == len(layout.UIDS) >= 8
