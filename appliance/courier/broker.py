"""The courier's connection to the broker: MQTT 5 over mutual TLS, driven by the caller's loop.

What enters: a will, publications, acknowledgements. What leaves: a list of `Event`s after each turn.
One paho client a connection, so nothing of an old one is re-sent behind our back (paho repeats a
full in-flight window under new packet identifiers); the session itself lives at the broker.

Looking a name up, connecting and the TLS handshake block, for as long as a dead network likes; they
run in a thread of their own, so that the loop stays alive. Nothing else touches the client meanwhile.

QoS 1 throughout, no topic alias (an alias does not outlive the connection, a repetition does).
Bounded: paho queues at most what the pump published, deliveries at most Receive Maximum.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from appliance.courier.pump import MAX_HELD, MAX_INBOUND, MAX_TOPIC
from appliance.messages import Outbound
from wire import tls
from wire.codec import MAX_ENVELOPE

SESSION_SECONDS = 30 * 86400
"""A box may be away this long without losing a command (MQTT 5, 3.1.2.11.2)."""
WILL_DELAY = 10
"""Seconds the broker waits before it says a box is gone: a restart of the courier is no absence."""
KEEPALIVE = 30
CONNECT_TIMEOUT = 5.0
_DEFAULT_RECEIVE_MAXIMUM = 65535  # MQTT 5, 3.2.2.3.3: the value when the broker names none
_DISCONNECT, _DISCONNECT_WITH_WILL = 0x00, 0x04
_MAX_READS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """The broker took us; `room` is how many publications it takes before it has answered."""

    room: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The connection is gone, or never came about."""

    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A message for this box; acknowledge `packet` when the keeper has it."""

    packet: int
    topic: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The broker answered a publication; `refusal` is empty when it took it."""

    key: int
    refusal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRefused:
    """The broker does not let this box hear its commands."""

    detail: str


Event = Connected | Lost | Delivered | Published | SubscriptionRefused


class BrokerConnection:
    """One connection, from `open` until a `Lost` event; then make another."""

    def __init__(self, *, host: str, port: int, client_id: str, commands: str, context: ssl.SSLContext) -> None:
        """Prepare a connection; `commands` is the topic filter to hear."""
        self._host = host
        self._port = port
        self._commands = commands
        self._events: list[Event] = []
        self._keys: dict[int, int] = {}
        self._lost = False
        self._opening: threading.Thread | None = None
        self._failure: str | None = None
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.tls_set_context(context)
        client.connect_timeout = CONNECT_TIMEOUT
        client.max_inflight_messages_set(MAX_HELD)
        client.max_queued_messages_set(MAX_HELD)
        client.on_socket_open = _send_at_once
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        self._client = client

    def open(self, will: Outbound) -> None:
        """Begin to connect, with `will` for the broker to publish should we vanish; `turn` says how it went."""
        will_properties = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call] # paho leaves it untyped
        will_properties.WillDelayInterval = WILL_DELAY
        self._client.will_set(will.topic, will.body, qos=1, retain=False, properties=will_properties)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho leaves it untyped
        properties.SessionExpiryInterval = SESSION_SECONDS
        properties.ReceiveMaximum = MAX_INBOUND
        properties.MaximumPacketSize = MAX_ENVELOPE + MAX_TOPIC + 256  # and what an honest header takes
        self._opening = threading.Thread(target=self._connect, args=(properties,), name="opening", daemon=True)
        self._opening.start()

    def _connect(self, properties: Properties) -> None:
        try:
            self._client.connect(self._host, self._port, keepalive=KEEPALIVE, clean_start=False, properties=properties)
        except (OSError, ValueError) as error:  # ValueError: a host name no resolver would take
            self._failure = tls.plain(error)

    @property
    def opening(self) -> bool:
        """Whether the way to the broker is still being made."""
        return self._opening is not None

    def fileno(self) -> int | None:
        """Descriptor to wait on; None while there is none yet, or once the connection is gone."""
        if self.opening:
            return None
        sock = self._client.socket()
        return None if sock is None or self._lost else sock.fileno()

    def want_write(self) -> bool:
        """True while the socket should be waited on for writing as well."""
        return self._client.want_write()

    def turn(self, *, readable: bool, writable: bool) -> list[Event]:
        """Read and write what the socket allows and keep the connection alive; call at least every second."""
        if self._opening is not None:
            if self._opening.is_alive():
                return []
            self._opening = None
            if self._failure is not None:
                self._lose(self._failure)
        if readable:
            self._read()
        if writable and not self._lost:
            self._client.loop_write()
        if not self._lost and self._client.loop_misc() != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lose("the broker does not answer")
        return self._take()

    def publish(self, key: int, topic: str, body: bytes) -> list[Event]:
        """Send a publication; its answer comes later as `Published` with this key."""
        if not self._lost:
            info = self._client.publish(topic, body, qos=1)
            self._keys[info.mid] = key
        return self._take()

    def acknowledge(self, packet: int) -> list[Event]:
        """Tell the broker that a delivery has arrived for good."""
        if not self._lost:
            self._client.ack(packet, qos=1)
        return self._take()

    def close(self, *, vanish: bool = True) -> None:
        """Say good-bye so that the broker publishes the will: an ordered stop is an absence all the same.

        Not so with `vanish` false: then the next connection follows at once.
        """
        if not (self._lost or self.opening):
            identifier = _DISCONNECT_WITH_WILL if vanish else _DISCONNECT
            reason = ReasonCode(PacketTypes.DISCONNECT, identifier=identifier)
            with contextlib.suppress(OSError):
                self._client.disconnect(reasoncode=reason)
                self._client.loop_write()

    def _read(self) -> None:
        for _ in range(_MAX_READS):
            if self._lost:
                return
            self._client.loop_read()
            sock = self._client.socket()
            # TLS may hold decrypted bytes that the descriptor does not show as readable.
            if not isinstance(sock, ssl.SSLSocket) or not sock.pending():
                return

    def _take(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _lose(self, detail: str) -> None:
        if not self._lost:
            self._lost = True
            self._events.append(Lost(detail=detail))

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._lose(f"the broker refuses: {reason}")
            return
        client.subscribe(self._commands, qos=1)
        room = getattr(properties, "ReceiveMaximum", _DEFAULT_RECEIVE_MAXIMUM)
        self._events.append(Connected(room=room))

    def _on_disconnect(
        self,
        _client: Client,
        _data: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._lose(f"connection lost: {reason}")

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""  # MQTT 5, 1.5.4: a topic is UTF-8; the keeper refuses this one and it is acknowledged
        self._events.append(Delivered(packet=message.mid, topic=topic, body=bytes(message.payload)))

    def _on_publish(
        self, _client: Client, _data: object, mid: int, reason: ReasonCode, _properties: Properties
    ) -> None:
        key = self._keys.pop(mid, None)
        if key is not None:
            self._events.append(Published(key=key, refusal=str(reason) if reason.is_failure else ""))

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        for reason in reasons:
            if reason.is_failure:
                self._events.append(SubscriptionRefused(detail=str(reason)))


def _send_at_once(_client: Client, _data: object, sock: object) -> None:
    """Nagle's algorithm would hold an acknowledgement or a finding back for the peer's delayed one (40 ms)."""
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
