"""The process that acts: loads the rules, opens the taps, watches ports and neighbours.

It holds CAP_NET_ADMIN and reads no packet.
"""
