"""Lists of names: read in many formats, compiled to one file a list, matched by whole labels.

A list's way: bytes -> `formats` (entries and faults, one by one) -> `table` (a file of keyed hashes, mapped
into memory) -> `match` (which lists hold this name).
"""
