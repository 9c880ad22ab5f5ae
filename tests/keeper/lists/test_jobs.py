"""One file into one table: what the file must be, and what is left when it is not."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.keeper.lists import jobs
from appliance.keeper.lists.compiling import compile_table
from appliance.keeper.lists.jobs import Job, Result, run
from appliance.keeper.lists.table import open_table

BODY = b"bets.example\n*.wagers.example\nbets.example\ncom\n"


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(
        list_id="gambling", folder=str(tmp_path / "gambling"), stem="one", key=b"k" * 32, format="domains", reach=None,
        confidential=False, most=1000, sha256=hashlib.sha256(BODY).hexdigest(), octets=len(BODY),
    )  # fmt: skip


@pytest.fixture
def do(tmp_path: Path) -> Callable[[Job, bytes], Result]:
    def run_(job: Job, body: bytes) -> Result:
        (tmp_path / "in").write_bytes(body)
        descriptor = os.open(tmp_path / "in", os.O_RDONLY)
        try:
            return run(job, descriptor)
        finally:
            os.close(descriptor)

    return run_


def files(job: Job) -> set[str]:
    return {path.name for path in Path(job.folder).iterdir()}


def test_a_table_a_plain_copy_and_what_was_in_it(job: Job, do: Callable[[Job, bytes], Result]) -> None:
    result = do(job, BODY)
    assert (result.problem, result.entries, result.duplicates) == ("", 2, 1)
    assert (result.faults, result.lines) == ({"public-suffix": 1}, {"public-suffix": [4]})
    assert files(job) == {"one.table", "one.plain"}
    assert jobs.plain_path(Path(job.folder), "one").read_bytes() == BODY
    assert len(open_table(jobs.table_path(Path(job.folder), "one"), job.key)) == 2
    assert msgspec.json.decode(msgspec.json.encode(result), type=Result) == result


def test_a_table_that_is_not_what_was_written_is_none(
    job: Job, do: Callable[[Job, bytes], Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = compile_table

    def failing(items: Any, path: Path, **more: Any) -> Any:
        tally = compiled(items, path, **more)
        raw = bytearray(path.read_bytes())
        raw[-1] ^= 1
        path.write_bytes(raw)
        return tally

    monkeypatch.setattr(jobs, "compile_table", failing)
    result = do(job, BODY)
    assert "could not be read back" in result.problem
    assert not result.refused, "the disk is at fault, not the list"
    assert files(job) == set()


@pytest.mark.req("N16")
def test_of_a_confidential_list_no_plain_copy_is_left(job: Job, do: Callable[[Job, bytes], Result]) -> None:
    result = do(msgspec.structs.replace(job, confidential=True), BODY)
    assert result.entries == 2
    assert files(job) == {"one.table"}


@pytest.mark.parametrize("body", [BODY[:-1], BODY + b"\n", BODY.replace(b"bets", b"pets"), b""])
def test_another_file_leaves_nothing(job: Job, do: Callable[[Job, bytes], Result], body: bytes) -> None:
    result = do(job, body)
    assert result.refused
    assert "its manifest is about" in result.problem
    assert files(job) == set()


def test_a_file_that_never_ends_is_cut(job: Job) -> None:
    descriptor = os.open("/dev/zero", os.O_RDONLY)
    try:
        result = run(job, descriptor)
    finally:
        os.close(descriptor)
    assert result.problem == "it has more than 1,000 octets"
    assert files(job) == set()


def test_a_folder_that_cannot_be_written_is_said(job: Job, do: Callable[[Job, bytes], Result]) -> None:
    Path(job.folder).write_text("a file where the folder should be")
    result = do(job, BODY)
    assert "could not be stored" in result.problem
    assert not result.refused
