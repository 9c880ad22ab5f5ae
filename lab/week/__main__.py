"""`python -m lab.week`: write the seven-day story as files, or let a box live through it and print the score.

With `--signs`: let it live through the weeks of two watched households, and print what it finds, in order.
Exit codes: 0 done, 1 the box took two devices for one, 2 wrong use.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from lab.week import capture, cast, household, watched
from lab.week.days import Days
from lab.week.plot import Week
from lab.week.run import live, scratch
from wire.files import FileError


def main(words: list[str] | None = None) -> int:
    """See the module's text."""
    parser = argparse.ArgumentParser(prog="python -m lab.week", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, help="folder for the capture, the events and the truth; made if absent")
    parser.add_argument("--run", action="store_true", help="let a box live through it, with passphrases and without")
    parser.add_argument("--signs", action="store_true", help="two watched households: the findings, in order")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="with --signs: write each as a file there, too")
    parser.add_argument("--only", choices=("compliant", "non-compliant"), help="with --signs: only this household")
    parser.add_argument("--seed", type=int, default=1, help="another seed tells another week")
    parser.add_argument("--without-passphrases", action="store_true", help="nobody knows who joined with which")
    arguments = parser.parse_args(words)
    if arguments.signs:
        return _signs(arguments.seed, arguments.only, arguments.write)
    if arguments.out is None and not arguments.run:
        parser.print_usage(sys.stderr)
        return 2
    try:
        told = cast.load()
        if arguments.out is not None:
            _write(Week(told, seed=arguments.seed, passphrases=not arguments.without_passphrases), arguments.out)
    except (FileError, OSError) as error:
        sys.stderr.write(f"lab.week: {error}\n")
        return 2
    if not arguments.run:
        return 0
    variants = (False,) if arguments.without_passphrases else (True, False)
    scores = [_run(Week(told, seed=arguments.seed, passphrases=known)) for known in variants]
    return 1 if any(scores) else 0


def _write(week: Week, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    written = capture.write(week, folder)
    print(
        f"{folder / capture.CAPTURE}: {written.frames} frames, {written.octets} octets; "
        f"{folder / capture.EVENTS}: {written.events} events; {written.addresses} addresses"
    )


def _signs(seed: int, only: str | None, folder: Path | None) -> int:
    """Print what a box finds in the weeks of the households, and write it down if there is a folder."""
    for name, read in (("compliant", household.compliant), ("non-compliant", household.non_compliant)):
        if only not in {None, name}:
            continue
        began = time.process_time()
        try:
            told = read()
        except FileError as error:
            sys.stderr.write(f"lab.week: {error}\n")
            return 2
        with scratch() as place:
            days = Days(told, seed=seed)
            with watched.live(days, place) as box:
                text = watched.Review(days=days, box=box).text()
        print(text, end="")
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.txt").write_text(text, encoding="utf-8")
        sys.stderr.write(f"{name}: lived through in {time.process_time() - began:.0f} s\n")
    return 0


def _run(week: Week) -> int:
    """Print the score of a week; how many false merges there were."""
    began = time.monotonic()
    with scratch() as folder:
        found, box = live(week, folder)
        with box:
            print(f"\n{week.cast.title}, seed {week.seed}, passphrases {'known' if week.passphrases else 'not known'}")
            for line in found.lines():
                print(f"  {line}")
            for refusal in box.refusals():
                print(f"  refused: {refusal}")
            print(f"  {box.observations} observations; lived through in {time.monotonic() - began:.0f} s")
    return len(found.false_merges)


if __name__ == "__main__":
    sys.exit(main())
