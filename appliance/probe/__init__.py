"""The process that looks round once, when asked or due, and ends: `python -m appliance.probe`.

It sends on the household's network (CAP_NET_RAW) and tells the keeper who answered. It reads no
order and keeps nothing. scapy, which builds its frames, is GPL-2.0-only: this room imports no
library that is under the Apache licence alone.
"""
