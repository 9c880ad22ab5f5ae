"""The keeper's request that upkeep serves as root: take a release."""

from __future__ import annotations

from appliance import clock, releases
from appliance.releases import read_record, read_running
from appliance.requests import LaterError, RefusedError, TakeReleaseRequest
from appliance.settings import BoxSettings
from appliance.upkeep import runner
from appliance.upkeep.box import Box, run
from appliance.upkeep.update import take
from firmware import household
from wire.keys import verify_key


def take_release(request: TakeReleaseRequest, settings: BoxSettings, now: float) -> None:
    """Judge a release again and write it to the other system partition.

    Raises:
        LaterError: another update is under way.
        RefusedError: it is not taken, or did not work; why.
        OSError: nothing can be written down.
        FileError: the household's file cannot be read.
        KeyFileError: a release key of the settings is no key.
    """
    software = settings.software
    if software is None:
        raise RefusedError("This box takes no releases.")
    pinned = [verify_key(text) for text in software.release_keys]
    try:
        with runner.alone(software.state):
            record, running = read_record(software.state), read_running(software)
            if (
                why := releases.refusal(request.signed, pinned=pinned, running=running, record=record, at=now)
            ) is not None:
                raise RefusedError(why)
            if (why := releases.busy(record)) is not None:
                raise LaterError(why)
            if record.stage == "waiting" and (
                # What waits was never proved: from here on it is not what starts next, nor left if the power goes.
                problem := run(["rauc", "status", "mark-active", "booted"])
            ):
                raise OSError(problem)
            runner.save(software.state, take(record, request.signed, running, now))
            box = Box(settings=settings, software=software, house=household.load(settings.household))
            after = runner.go_on(software.state, box, clock.now)
    except runner.BusyError:
        raise LaterError("The box is busy with an update; try again later.") from None
    if after.stage == "failed":
        raise RefusedError(after.detail)
