"""The household as the box knows it: one concern a module, all through `record`.

A frame's way: `arrivals` (who is this?) -> `stays` (since when is it there?) -> `appearance` (what is
it?) -> `keys`, `kin`, `proposals` and `suspicions` (which of those we know is it?) -> `standing` and
`lookups` (what follows) -> `record` (table, memory and outbox, in one transaction). `book` puts them together.
"""
