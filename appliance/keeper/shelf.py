"""The names of lists for filters: what `library` keeps, as `filtering` asks for it.

In: a list's id. Out: its entries one by one, and what changes with them. Of a confidential list only hashes are
here; it can be watched for, and not blocked by. Bounded by the library.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network

from appliance.keeper.filtering import ListUnreadableError
from appliance.keeper.lists.entries import Entry, Fault
from appliance.keeper.lists.library import Library
from appliance.keeper.lists.match import EXCLUDED


class Shelf:
    """A `filtering.Source` over a library."""

    def __init__(self, library: Library, list_ids: Collection[str]) -> None:
        self._library = library
        self._list_ids = list_ids

    def versions(self) -> Mapping[str, str]:
        """The hash of each list's file."""
        found = {list_id: self._library.kept(list_id) for list_id in self._list_ids}
        return {list_id: kept.made.sha256 for list_id, kept in found.items() if kept is not None}

    def free(self) -> Collection[str]:
        """Lists of names that are never kept, and so never refused either."""
        found = ((list_id, self._library.kept(list_id)) for list_id in sorted(self._list_ids))
        return tuple(list_id for list_id, kept in found if kept is not None and kept.about.category == EXCLUDED)

    def entries(self, list_id: str) -> Iterator[Entry | IPv4Network | IPv6Network]:
        """All it holds.

        Raises:
            ListUnreadableError: there is none of that id, or only its hashes are here.
        """
        kept = self._library.kept(list_id)
        if kept is None or list_id not in self._list_ids:
            raise ListUnreadableError(f"The list {list_id} is not here")
        if kept.about.confidential:
            raise ListUnreadableError(f"The list {list_id} is confidential: only hashes of its names are here")
        try:
            for item in self._library.entries(list_id):
                if not isinstance(item, Fault):
                    yield item
        except OSError as error:
            raise ListUnreadableError(f"The list {list_id} cannot be read ({error.strerror})") from error
