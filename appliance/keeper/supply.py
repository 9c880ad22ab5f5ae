"""How lists come to a box: when to ask for a newer version, and which is taken. Files are `library`'s matter.

In: moments, what the courier fetched, what the compiler made. Out: `ListWanted` for the courier, `Work` for the
compiler, lists put in use. A list is a local file that is looked at again, or has a signed manifest: then its
publisher's signature, its id, that it is no older than ours, its length and its hash must hold, and it must not have
lost over a fifth of its entries, unless an engineer accepts that. Whatever fails, the version in force stays.

A new version comes into use in one step: files first, then `kept.json`, then memory.
Bounded: one state a list of the settings; one file waits for the compiler for each; one wish a list is on its way.
"""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Sequence

from appliance.keeper.list_state import RETRY_FIRST, Phase, State, Work
from appliance.keeper.lists.about import of_file, of_manifest
from appliance.keeper.lists.jobs import Job, Result, run
from appliance.keeper.lists.library import Kept, Library
from appliance.keeper.lists.match import Lists
from appliance.keeper.lists.table import TableError
from appliance.messages import ListFetched, ListWanted
from appliance.settings import ListSource
from wire.keys import verify_key
from wire.lists import MAX_MANIFEST, Manifest, ManifestError, parse_signed, verify

LOSS = 0.2
"""Share of its entries that a new version may lose (a publisher's accident would switch a list off)."""
AT_ONCE = 1024 * 1024
"""Octets of a local file that is compiled at start, before anything is heard; a larger one beside the work."""
LOOK_SECONDS = 30.0
"""Between two looks at local files."""
JITTER = 60.0
"""A fleet that gets its power back does not ask a list server all at once."""
RETRY_MOST = 6 * 3600.0
PATIENCE = 45 * 60.0
"""For the courier's answer; a fetch is cut after 30 minutes."""
MAX_TEXT = 300

_log = logging.getLogger(__name__)


class Supply:
    """All lists of the settings."""

    def __init__(self, sources: Sequence[ListSource], *, library: Library, lists: Lists, chance: random.Random) -> None:
        self.library = library
        self._lists = lists
        self._chance = chance
        self.states = {item.id: State(source=item, due=chance.uniform(0, JITTER)) for item in sources}

    def start(self, *, at: float, monotonic: float) -> None:
        """Put in use what is kept, and small local files that are new. Call once, first."""
        self.library.tidy(self.states.keys())
        for state in self.states.values():
            self._open(state)
            # Who has nothing to go by asks at once; a fleet that gets its power back does not.
            state.due = monotonic + (state.due if self._lists.get(state.source.id) is not None else 0.0)
            if state.source.path is not None:
                state.due = monotonic
                self._look(state, at=at, monotonic=monotonic, at_once=True)

    def tick(self, *, at: float, monotonic: float, courier: bool) -> list[ListWanted]:
        """Time has passed; what the courier is to fetch, where it is there."""
        wanted = []
        for state in self.states.values():
            if state.phase in {Phase.MANIFEST, Phase.DATA} and monotonic >= state.until:
                self._failed(state, "the courier did not answer", monotonic)
            if state.phase is not Phase.REST or monotonic < state.due:
                continue
            if state.source.path is not None:
                self._look(state, at=at, monotonic=monotonic, at_once=False)
            elif courier:
                wanted.append(self._ask(state, str(state.source.manifest), MAX_MANIFEST, Phase.MANIFEST, monotonic))
        return wanted

    def courier_gone(self, monotonic: float) -> None:
        """What was on its way does not come any more; it is asked for again soon."""
        for state in self.states.values():
            if state.phase in {Phase.MANIFEST, Phase.DATA}:
                state.phase, state.due = Phase.REST, monotonic + self._chance.uniform(0, JITTER)

    def in_use(self, list_id: str) -> Kept | None:
        """The version that look-ups go by; None where there is none."""
        return None if self._lists.get(list_id) is None else self.library.kept(list_id)

    # --- what the courier brings -----------------------------------------------------------------

    def fetched(self, message: ListFetched, descriptor: int | None, *, monotonic: float) -> list[ListWanted]:
        """An answer of the courier. The descriptor is ours from now on."""
        handed_on = False
        try:
            state = self.states.get(message.list_id)
            if state is None or message.url != self._url(state):
                return []  # of a wish from before
            if message.outcome == "failed":
                self._failed(state, message.detail or "it could not be fetched", monotonic)
            elif message.outcome == "same" and state.phase is Phase.MANIFEST:
                self._rest(state, monotonic)
            elif message.outcome != "new" or descriptor is None:
                self._failed(state, "the courier brought no file", monotonic)
            elif state.phase is Phase.MANIFEST:
                return self._manifest(state, message.etag, descriptor, monotonic)
            elif state.manifest is not None:
                handed_on = True
                self._data(state, state.manifest, descriptor)
            return []
        finally:
            if descriptor is not None and not handed_on:
                os.close(descriptor)

    def _url(self, state: State) -> str | None:
        match state.phase:
            case Phase.MANIFEST:
                return state.source.manifest
            case Phase.DATA if state.manifest is not None:
                return state.manifest.url
            case _:
                return None

    def _manifest(self, state: State, etag: str | None, descriptor: int, monotonic: float) -> list[ListWanted]:
        kept = self.library.kept(state.source.id)
        try:
            manifest = self._verified(state.source, descriptor)
            if kept is not None and kept.about.number is not None:
                _check_newer(manifest, kept)
        except ManifestError as error:
            self._refuse(state, str(error), "", monotonic)
            return []
        state.pending = etag
        if kept is not None and kept.about.number == manifest.number and self._lists.get(manifest.list_id) is not None:
            state.etag = etag
            state.refused = state.refused_version = ""
            self._rest(state, monotonic)
            return []
        if manifest.octets > state.source.max_octets:
            why = f"it has {manifest.octets:,} octets, the most is {state.source.max_octets:,}"
            self._refuse(state, why, manifest.version, monotonic)
            return []
        state.manifest = manifest
        return [self._ask(state, manifest.url, manifest.octets, Phase.DATA, monotonic)]

    def _verified(self, source: ListSource, descriptor: int) -> Manifest:
        try:
            raw = os.pread(descriptor, MAX_MANIFEST + 1, 0)
        except OSError as error:
            raise ManifestError(f"the manifest cannot be read ({error.strerror})") from error
        try:
            signed = parse_signed(raw)
        except ManifestError as error:
            raise ManifestError(f"what is there is no manifest: {error}") from error
        manifest = verify(signed, [verify_key(text) for text in source.publishers])
        if manifest.list_id != source.id:
            raise ManifestError(f"the manifest is for the list {manifest.list_id}")
        return manifest

    def _data(self, state: State, manifest: Manifest, descriptor: int) -> None:
        job = self.library.job(
            of_manifest(manifest), most=manifest.octets, sha256=manifest.sha256, octets=manifest.octets
        )
        state.phase, state.waiting = Phase.COMPILE, Work(job=job, descriptor=descriptor)

    # --- local files ----------------------------------------------------------------------------

    def _look(self, state: State, *, at: float, monotonic: float, at_once: bool) -> None:
        """Look whether the file is another than the one in force."""
        source = state.source
        state.due = monotonic + LOOK_SECONDS
        kept = self.library.kept(source.id)
        try:
            assert source.path is not None  # noqa: S101 - of such lists only
            descriptor = os.open(source.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            stat = os.fstat(descriptor)
        except OSError as error:
            if not (source.confidential and kept is not None):  # that one was deleted when it was taken
                self._trouble(state, f"{source.path}: cannot be read ({error.strerror})")
            return
        seen = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        about = of_file(source)
        same = kept is not None and (kept.about, kept.seen) == (about, seen) and self._lists.get(source.id) is not None
        if same or seen == state.seen:
            os.close(descriptor)
            if same:
                state.trouble = state.refused = ""
                state.judged = True
                self._erase_plain(state)  # it may have been put back, or could not be deleted the first time
            return
        state.seen = seen
        job = self.library.job(about, most=source.max_octets)
        state.phase = Phase.COMPILE
        if not at_once or stat.st_size > AT_ONCE:
            state.waiting = Work(job=job, descriptor=descriptor)
            return
        try:
            result = run(job, descriptor)
        finally:
            os.close(descriptor)
        self.made(job, result, at=at, monotonic=monotonic)

    # --- what the compiler made -----------------------------------------------------------------

    def work(self) -> Work | None:
        """The next file for the compiler; call when that has nothing to do."""
        for state in self.states.values():
            if state.waiting is not None:
                work, state.waiting = state.waiting, None
                return work
        return None

    def made(self, job: Job, result: Result, *, at: float, monotonic: float) -> None:
        """A job is done: the new version comes into use, or is refused with the reason."""
        state = self.states[job.list_id]
        kept = self.library.kept(job.list_id)
        version = state.manifest.version if state.manifest is not None else str(state.source.version)
        if result.problem:
            if result.refused:
                self._refuse(state, result.problem, version, monotonic)
            else:
                self._failed(state, result.problem, monotonic)
            return
        fresh = self._fresh(state, job, result, at)
        if kept is not None and fresh.size < (1 - LOSS) * kept.size and state.accepted != version:
            self.library.discard(job)
            lost = 1 - fresh.size / kept.size
            why = (
                f"version {version} has lost {lost:.0%} of the entries ({kept.size:,} before, {fresh.size:,} now); "
                f"if that is right: gatehouse lists accept {job.list_id} {version}"
            )
            self._refuse(state, why, version, monotonic)
            return
        try:
            loaded = self.library.open(fresh, checked=True)
            self.library.take(fresh)
        except (TableError, OSError) as error:
            self.library.discard(job)
            self._failed(state, f"it could not be stored ({error}); the disk may be full", monotonic)
            return
        if not self._lists.replace(loaded):
            self._trouble(state, "there are too many lists")
        state.accepted = state.refused = state.refused_version = ""
        state.etag = state.pending
        self._rest(state, monotonic)
        _log.info("list %s: version %s is in use, %d entries", job.list_id, version, fresh.size)
        self._erase_plain(state)

    def _fresh(self, state: State, job: Job, result: Result, at: float) -> Kept:
        manifest, source = state.manifest, state.source
        if manifest is not None:
            about = of_manifest(manifest)
            renew_by: float | None = manifest.renew_by.timestamp()
            when = manifest.published.timestamp()
        else:
            about = of_file(source)
            when = at if state.seen is None else state.seen[2] / 1e9
            renew_by = None if source.stale_days is None else when + source.stale_days * 86400
        return Kept(
            about=about,
            made=result,
            stem=job.stem,
            published=when,
            renew_by=renew_by,
            taken_at=at,
            etag=state.pending,
            seen=state.seen,
        )

    def _erase_plain(self, state: State) -> None:
        """A confidential list that was put here as a file is in use: its plain text goes."""
        if state.source.path is None or not state.source.confidential:
            return
        try:
            state.source.path.unlink()
        except OSError as error:
            self._trouble(state, f"{state.source.path}: its plain text could not be deleted ({error.strerror})")

    # --- engineers ------------------------------------------------------------------------------

    def accept(self, list_id: str, version: str, monotonic: float) -> str | None:
        """Take a refused version although it lost many entries. None when it will be tried, else why not."""
        state = self.states.get(list_id)
        if state is None:
            return f"There is no list {list_id} in box.toml."
        if not state.refused_version:
            return f"No version of {list_id} was refused."
        if state.refused_version != version:
            return f"The version of {list_id} that was refused is {state.refused_version}, not {version}."
        _log.warning("list %s: version %s is accepted by an engineer: %s", list_id, version, state.refused)
        state.accepted, state.etag, state.seen, state.due = version, None, None, monotonic
        return None

    # --- what follows ---------------------------------------------------------------------------

    def _ask(self, state: State, url: str, most: int, phase: Phase, monotonic: float) -> ListWanted:
        state.phase, state.until = phase, monotonic + PATIENCE
        etag = state.etag if phase is Phase.MANIFEST and self._lists.get(state.source.id) else None
        return ListWanted(list_id=state.source.id, url=url, etag=etag, most=most)

    def _rest(self, state: State, monotonic: float) -> None:
        """All is as it should be until the next look."""
        state.phase, state.manifest, state.retry, state.trouble = Phase.REST, None, RETRY_FIRST, ""
        state.said, state.judged = "", True
        wait = LOOK_SECONDS if state.source.path is not None else state.source.check_hours * 3600
        state.due = monotonic + wait
        if state.source.path is None:
            state.due += self._chance.uniform(0, min(JITTER, wait / 10))

    def _failed(self, state: State, why: str, monotonic: float) -> None:
        """It could not be had; try again later, each time later."""
        self._trouble(state, why)
        state.phase, state.manifest = Phase.REST, None
        state.due = monotonic + state.retry * (0.5 + self._chance.random() / 2)
        state.retry = min(state.retry * 2, RETRY_MOST)
        if state.source.path is not None:
            state.seen = None

    def _refuse(self, state: State, why: str, version: str, monotonic: float) -> None:
        """What is there must not be used. Said until there is something that may be."""
        state.refused, state.refused_version, state.judged = why[:MAX_TEXT], version, True
        self._log(state, f"a new version was refused: {why}")
        state.etag = None
        state.phase, state.manifest, state.trouble = Phase.REST, None, ""
        wait = LOOK_SECONDS if state.source.path is not None else min(state.source.check_hours * 3600, RETRY_MOST)
        state.due = monotonic + wait

    def _trouble(self, state: State, why: str) -> None:
        state.trouble = why[:MAX_TEXT]
        self._log(state, why)

    def _log(self, state: State, text: str) -> None:
        if text != state.said:
            state.said = text
            _log.warning("list %s: %s", state.source.id, text)

    def _open(self, state: State) -> None:
        kept = self.library.kept(state.source.id)
        if kept is None or (kept.about.number is None) != (state.source.manifest is None):
            return
        try:
            self._lists.replace(self.library.open(kept))
        except TableError as error:
            self._trouble(state, str(error))
        else:
            state.etag = kept.etag


def _check_newer(manifest: Manifest, kept: Kept) -> None:
    number = kept.about.number
    if number is None or manifest.number > number:
        return
    if manifest.number < number:
        raise ManifestError(
            f"it is older than ours: version {manifest.version} is number {manifest.number}, ours is {number}"
        )
    if manifest.sha256 != kept.made.sha256:
        raise ManifestError(f"another file has the number {manifest.number} that ours has")
