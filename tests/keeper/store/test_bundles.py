from __future__ import annotations

from appliance.keeper.store.bundles import MAX_AUTHORITIES
from appliance.keeper.store.database import Store
from wire.bundles import PART_OCTETS, SEALED_MORE


def test_a_file_is_whole_or_not_there(store: Store) -> None:
    store.bundles.begin("b-1")
    store.bundles.append("b-1", b"x" * (PART_OCTETS + SEALED_MORE) + b"y")
    assert not store.bundles.path("b-1").exists()
    store.bundles.finish("b-1")
    assert store.bundles.part("b-1", 0) == b"x" * (PART_OCTETS + SEALED_MORE)
    assert store.bundles.part("b-1", 1) == b"y"
    assert store.bundles.part("b-1", 2) is None
    assert store.bundles.part("b-2", 0) is None


def test_what_belongs_to_no_bundle_is_swept_away(store: Store) -> None:
    store.bundles.begin("b-1")
    store.bundles.begin("b-2")
    store.bundles.finish("b-2")
    store.bundles.want("b-2", wanted="{}", at=1.0, expires=2.0)
    store.bundles.done("b-2", state="built", told="{}")
    store.bundles.sweep()
    assert [path.name for path in store.bundles.path("b-1").parent.iterdir()] == ["b-2.sealed"]
    assert [(item.bundle_id, item.state) for item in store.bundles.all()] == [("b-2", "built")]
    store.bundles.drop("b-2")
    assert not store.bundles.path("b-2").exists()
    assert store.bundles.all() == []


def test_an_abandoned_file_is_gone(store: Store) -> None:
    store.bundles.begin("b-1")
    store.bundles.abandon("b-1")
    assert not list(store.bundles.path("b-1").parent.iterdir())


def test_documents_are_kept_up_to_a_bound(store: Store) -> None:
    for number in range(MAX_AUTHORITIES + 3):
        store.bundles.keep_authority("order-1", number, f"document {number}")
    store.bundles.keep_authority("order-1", MAX_AUTHORITIES + 2, "the same again")
    kept = store.bundles.authorities()
    assert len(kept) <= MAX_AUTHORITIES
    assert kept[-1] == "the same again"
    assert "document 0" not in kept
