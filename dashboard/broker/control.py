"""Changes who may use a running broker: adds a box, cuts one off. For the administrator's certificate.

Speaks the dynamic-security plugin's topic (`$CONTROL/dynamic-security/v1`) over MQTT 5.
Bounded: one connection and one request a call, answered within `timeout` seconds or an error.
"""

from __future__ import annotations

import json
import ssl
import time
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from dashboard.broker.render import CONTROL, Account

_REQUEST = f"{CONTROL}/v1"
_ANSWER = f"{CONTROL}/v1/response"
_HEAR = f"{CONTROL}/#"
_THERE, _NOT_THERE = "already exists", "not found"
"""What the plugin says (2.0.11, 2.0.21)."""


class ControlError(RuntimeError):
    """The broker did not do what was asked; the text says what it answered."""


def add_site(control: Control, *, tenant: str, site: str) -> None:
    """Let a box in.

    Raises:
        ControlError: the broker does not answer, or refuses (the box is known already).
    """
    account = Account.box(tenant, site)
    control.ask(
        {"command": "createRole", "rolename": account.role, "acls": list(account.rules)},
        {"command": "createClient", "username": account.name, "roles": [{"rolename": account.role}]},
    )


def let_site_in(control: Control, *, tenant: str, site: str) -> None:
    """Let a box in whatever the broker knows of it: again does no harm, and one that was cut off is let in again.

    Raises:
        ControlError: the broker does not answer, or refuses.
    """
    account = Account.box(tenant, site)
    role, rules, roles = account.role, list(account.rules), [{"rolename": account.role}]
    _either(
        control,
        {"command": "createRole", "rolename": role, "acls": rules},
        {"command": "modifyRole", "rolename": role, "acls": rules},
    )
    _either(
        control,
        {"command": "createClient", "username": site, "roles": roles},
        {"command": "modifyClient", "username": site, "roles": roles},
    )
    control.ask({"command": "enableClient", "username": site})


def cut_off(control: Control, *, tenant: str, site: str) -> None:
    """Cut a box off whatever the broker knows of it, its live connection too: again does no harm (see `disable_site`).

    Raises:
        ControlError: the broker does not answer, or refuses.
    """
    try:
        disable_site(control, tenant=tenant, site=site)
    except ControlError as error:
        if _NOT_THERE not in str(error):
            raise


def _either(control: Control, make: dict[str, Any], change: dict[str, Any]) -> None:
    """Make something, or change what is there."""
    try:
        control.ask(make)
    except ControlError as error:
        if _THERE not in str(error):
            raise
        control.ask(change)


def let_worker_in(control: Control, *, tenant: str, worker: str) -> None:
    """Let a further ingest worker in; those that are there get leave to share messages with it.

    Raises:
        ControlError: the broker does not answer, or refuses (the worker is known already).
    """
    account = Account.ingest(tenant, worker)
    control.ask(
        # The role may be of a version that knew one worker.
        {"command": "modifyRole", "rolename": account.role, "acls": list(account.rules)},
        {"command": "createClient", "username": worker, "roles": [{"rolename": account.role}]},
    )


def disable_site(control: Control, *, tenant: str, site: str) -> None:
    """Cut a box off, its live connection too.

    `disableClient` alone is not enough where certificates speak for clients: it ends the connection,
    but the plugin asks for `disabled` only where it checks a password, so the box could come back
    and publish (seen with 2.0.11). Without its role everything is denied.

    Raises:
        ControlError: the broker does not answer, or knows no such box.
    """
    control.ask(
        {"command": "removeClientRole", "username": site, "rolename": Account.box(tenant, site).role},
        {"command": "disableClient", "username": site},
    )


def enable_site(control: Control, *, tenant: str, site: str) -> None:
    """Let a box in again that was cut off.

    Raises:
        ControlError: the broker does not answer, or knows no such box.
    """
    control.ask(
        {"command": "addClientRole", "username": site, "rolename": Account.box(tenant, site).role},
        {"command": "enableClient", "username": site},
    )


class Control:
    """Asks the plugin; connects for each request."""

    def __init__(self, *, host: str, port: int, name: str, context: ssl.SSLContext, timeout: float = 10.0) -> None:
        """Prepare; `name` is the CN of the administrator's certificate."""
        self._host = host
        self._port = port
        self._name = name
        self._context = context
        self._timeout = timeout

    def ask(self, *commands: dict[str, Any]) -> list[dict[str, Any]]:
        """Have commands carried out, in order; returns the answers.

        Raises:
            ControlError: no answer in time, no leave, or a command failed.
        """
        request = _Request(json.dumps({"commands": list(commands)}).encode())
        client = request.client(self._name, self._context)
        try:
            client.connect(self._host, self._port)
        except OSError as error:
            raise ControlError(f"no broker at {self._host}:{self._port}: {error}") from error
        end = time.monotonic() + self._timeout
        while not request.done and time.monotonic() < end:
            if client.loop(0.1) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                request.trouble = request.trouble or "the connection broke"
        client.disconnect()
        if request.trouble:
            raise ControlError(f"the broker refuses: {request.trouble}")
        if request.answer is None:
            raise ControlError("the broker did not answer in time")
        return _checked(request.answer)


class _Request:
    """One request on its way: subscribe to the answers, then ask, then hear."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.answer: bytes | None = None
        self.trouble = ""

    @property
    def done(self) -> bool:
        return self.answer is not None or bool(self.trouble)

    def client(self, name: str, context: ssl.SSLContext) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=name,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.tls_set_context(context)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self.trouble = str(reason)
        else:
            client.subscribe(_HEAR, qos=1)

    def _on_subscribe(
        self, client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self.trouble = "this certificate may not change access rules"
        else:
            client.publish(_REQUEST, self._body, qos=1)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if message.topic == _ANSWER:
            self.answer = bytes(message.payload)


def _checked(answer: bytes) -> list[dict[str, Any]]:
    try:
        responses: list[dict[str, Any]] = json.loads(answer)["responses"]
        failed = [f"{item.get('command')}: {item['error']}" for item in responses if "error" in item]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ControlError("the broker's answer is not one of the dynamic-security plugin") from error
    if failed:
        raise ControlError("; ".join(failed))
    return responses
