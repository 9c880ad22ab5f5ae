"""An ingest worker's connection to the broker: MQTT 5 over mutual TLS, acknowledged by hand.

What enters: messages to publish, acknowledgements. What leaves: `Arrived` messages, in `arrivals`.
Bounded: the broker sends at most `RECEIVE_MAXIMUM` messages ahead of our acknowledgements
(MQTT 5, 3.1.2.11.3), so that many lie in memory; at most `MAX_UNSENT` publications wait in paho,
more are dropped and counted (receipts and commands are sent again).
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
from collections import deque

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from dashboard.broker.render import shared
from dashboard.ingest.opening import Arrived
from dashboard.ingest.outgoing import Outgoing
from dashboard.settings import Ingest
from wire import tls
from wire.topics import ROOT, Channel

RECEIVE_MAXIMUM = 200
MAX_UNSENT = 1000
SESSION_SECONDS = 30 * 86400
KEEPALIVE = 30
CONNECT_TIMEOUT = 5.0
UP = (Channel.STATUS, Channel.EVENT, Channel.STATE, Channel.TELEMETRY, Channel.RESULT)

_log = logging.getLogger(__name__)


class Session:
    """One worker's session; `open` makes a connection, again after it was lost."""

    def __init__(self, settings: Ingest, *, tenant: str, context: ssl.SSLContext) -> None:
        self._settings = settings
        self._tenant = tenant
        self._context = context
        self._client: Client | None = None
        self._connection = 0
        self._online = False
        self.arrivals: deque[Arrived] = deque()
        self.trouble = ""
        """Why there is no connection; empty while there is one."""
        self.dropped = 0

    @property
    def online(self) -> bool:
        """True while the broker has us."""
        return self._online

    @property
    def opened(self) -> bool:
        """True from `open` until the connection is lost."""
        return self._client is not None

    def open(self) -> bool:
        """Connect; False and `trouble` when nobody answers. Blocks up to CONNECT_TIMEOUT twice."""
        self._connection += 1
        self.arrivals.clear()  # unacknowledged: the broker delivers them again
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._settings.worker,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.tls_set_context(self._context)
        client.connect_timeout = CONNECT_TIMEOUT
        client.max_inflight_messages_set(RECEIVE_MAXIMUM)
        client.max_queued_messages_set(MAX_UNSENT)
        client.on_socket_open = _send_at_once
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho leaves it untyped
        # Who shares leaves nothing behind: the broker would go on giving its part to a worker that is away. What it had
        # is not receipted, so that boxes send it again to the others.
        properties.SessionExpiryInterval = 0 if self._settings.shared else SESSION_SECONDS
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        try:
            client.connect(
                self._settings.host,
                self._settings.port,
                keepalive=KEEPALIVE,
                clean_start=self._settings.shared,
                properties=properties,
            )
        except (OSError, ValueError) as error:
            self.trouble = tls.plain(error)
            return False
        self._client = client
        return True

    def turn(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for the network, and read and write what there is."""
        if self._client is not None and self._client.loop(timeout) != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lose("the broker does not answer")

    def acknowledge(self, arrived: Arrived) -> None:
        """Tell the broker that a message is committed; nothing if its connection is gone."""
        if self._client is not None and arrived.connection == self._connection:
            self._client.ack(arrived.packet, qos=1)

    def publish(self, outgoing: Outgoing, now: float) -> bool:
        """Send a message with QoS 1; False when it could not be queued. `now` is Unix seconds."""
        if self._client is None or not self._online:
            self.dropped += 1
            return False
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho leaves it untyped
        if outgoing.expires_at is not None:
            properties.MessageExpiryInterval = max(1, int(outgoing.expires_at - now))
        info = self._client.publish(outgoing.topic, outgoing.body, qos=1, properties=properties)
        if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            self.dropped += 1
            return False
        return True

    def close(self) -> None:
        """Say good-bye; the session with its unacknowledged messages stays at the broker."""
        client, self._client = self._client, None
        self._online = False
        if client is not None:
            with contextlib.suppress(OSError):
                client.disconnect()
                client.loop_write()

    def _lose(self, trouble: str) -> None:
        self._client = None
        self._online = False
        if not self.trouble:
            self.trouble = trouble

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self.trouble = f"the broker refuses: {reason}"
            self._client = None
            return
        self._online = True
        self.trouble = ""
        topics = [f"{ROOT}/{self._tenant}/+/{channel}/+" for channel in UP]
        client.subscribe([(shared(topic) if self._settings.shared else topic, 1) for topic in topics])

    def _on_disconnect(
        self,
        client: Client,
        _data: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if client is self._client:
            self._lose(f"connection lost: {reason}")

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""  # refused, audited and acknowledged like any topic that is none of ours
        self.arrivals.append(
            Arrived(topic=topic, body=bytes(message.payload), packet=message.mid, connection=self._connection)
        )

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        for reason in reasons:
            if reason.is_failure:
                _log.error("the broker refuses a subscription (%s): check this worker's role", reason)


def _send_at_once(_client: Client, _data: object, sock: object) -> None:
    """Nagle's algorithm would hold an acknowledgement or a finding back for the peer's delayed one (40 ms)."""
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
