from __future__ import annotations

import dataclasses

import pytest

from appliance.keeper.peers import Peer, Send, Turn
from appliance.messages import NoticeRequest
from appliance.settings import BoxSettings


def test_each_peer_has_a_name_that_makes_a_socket() -> None:
    assert all(peer.value.isalpha() for peer in Peer)
    assert len({peer.value for peer in Peer}) == len(Peer)
    assert hasattr(BoxSettings, "keeper_socket")


def test_what_is_sent_does_not_change() -> None:
    send = Send(peer=Peer.PORCH, messages=(NoticeRequest(),))
    with pytest.raises(dataclasses.FrozenInstanceError):
        send.peer = Peer.PROBE  # type: ignore[misc] # it must not
    assert Turn(now=1.0, at=2.0, monotonic=3.0).at == 2.0
