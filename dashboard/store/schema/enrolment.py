"""What enrolling boxes needs: who was let in at the broker, the home's Wi-Fi as it shall be, what a telephone carries.

No passphrase can be read here: each is sealed to its box (`wire.wifi.seal_passphrase`), what a provider gave for the
line to the enrolment desk. `wifi` and `wifi_key` say what shall be; `store.wifi` has orders made of them.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from dashboard.store.schema.base import metadata

box_access = Table(
    "box_access",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("answers", Integer, nullable=False, comment="how often the box was given all that it needs"),
    Column("answered_at", Float, comment="when it was last"),
    Column("reopened_at", Float, comment="when its card was entered again: it may ask anew"),
    Column("cut_at", Float, comment="when the broker was told to let it in no more; none while it is let in"),
)

wifi = Table(
    "wifi",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("ssid", String(32), nullable=False),
    Column("security", String(12), nullable=False),
    Column("isolation", Boolean, nullable=False),
    Column("uplink", String(8), nullable=False, comment="dhcp, pppoe, modem"),
    Column("uplink_sealed", Text, comment="what the provider gave, sealed to the enrolment desk"),
    Column("changed_at", Float, nullable=False),
    Column("by", ForeignKey("account.account_id"), nullable=False),
    Column("order_id", String(32), comment="the order by which the box was told"),
    Column("tries", Integer, nullable=False),
)

wifi_key = Table(
    "wifi_key",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("key_id", String(64), primary_key=True),
    Column("sealed", Text, comment="to the box; none where it was not made here"),
    Column("purpose", String(10), nullable=False, comment="device, guest, household"),
    Column("label", String(80), nullable=False),
    Column("device_id", String(64)),
    Column("until", Float),
    Column("made_at", Float, nullable=False),
    Column("by", ForeignKey("account.account_id"), nullable=False),
    Column("order_id", String(32), comment="the order by which the box was told"),
    Column("tries", Integer, nullable=False),
    Column("ended_at", Float),
    Column("ended_by", ForeignKey("account.account_id")),
    Column("end_order_id", String(32), comment="the order by which the box was told that it ended"),
    Column("end_tries", Integer, nullable=False),
    Index("ix_wifi_key_made", "site", "made_at"),
)

relay = Table(
    "relay",
    metadata,
    Column("install_id", ForeignKey("install.install_id"), primary_key=True),
    Column("request", Text, nullable=False, comment="of the box, signed by it: nothing in it is secret"),
    Column("asked_at", Float, nullable=False),
    Column("by", ForeignKey("account.account_id"), nullable=False),
    Column("state", String(10), nullable=False, comment="waiting, or the desk's outcome"),
    Column("says", String(300), nullable=False),
    Column("answer", Text, comment="sealed to the box"),
    Column("answered_at", Float),
    Index("ix_relay_state", "state", "asked_at"),
)
