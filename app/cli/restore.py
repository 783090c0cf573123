"""`restore FILE` in the terminal: replace current data by a backup; the old data can be put back."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app import APP_ID, APP_NAME
from app.cli.terminal import INTERRUPTED, TerminalProgress, interruptible_token, print_json
from app.core.paths import AppPaths
from app.features.exchange.backup import (
    BackupUnpacked,
    accept,
    last_aside,
    put_back,
    put_in_place,
    unpack_backup,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Everything of a backup takes the place of what is here, which is kept aside for 30 days. While the"
        f" window is open, the backup waits for the next start of {APP_NAME}."
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("file", metavar="FILE", nargs="?", type=Path)
    what.add_argument("--undo", action="store_true", help="put back what was here before the last restore")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.set_defaults(run=run_restore)


def run_restore(options: argparse.Namespace) -> int:
    """`restore`: nothing here is changed by one that is interrupted, or whose file is damaged."""
    if options.undo:
        return _undo_restore(options)
    places, path, line = AppPaths.from_environment(), options.file.expanduser().absolute(), TerminalProgress()
    unpacked = None
    with interruptible_token() as cancel:
        # Unpacked beside the data and checked; nothing in place is touched.
        for event in unpack_backup(path, places, cancel):
            if isinstance(event, BackupUnpacked):
                unpacked = event
            elif event.total_bytes:
                line.show(f"Reading {path.name}", f"{event.done_bytes / event.total_bytes:.0%}")
    line.end()
    if unpacked is None or unpacked.is_cancelled:
        return INTERRUPTED
    # From here on it takes its place, at the latest when the window starts next.
    accept(places)
    # None while the window is open: it holds the data.
    before = put_in_place(places)
    if options.json:
        body = {"program": unpacked.program, "made_at": unpacked.made_at, "restored": before is not None}
        body["contents"] = dict(unpacked.counts)
        print_json(body | {"before": str(before) if before else None})
    elif before is None:
        print(f"{APP_NAME} is open. The backup is read and takes its place when {APP_NAME} starts the next time.")
    else:
        print(f"Restored. What was here before is kept for 30 days in {before}.")
        print(f"To put it back: {APP_ID} restore --undo")
    return 0


def _undo_restore(options: argparse.Namespace) -> int:
    """Run `restore --undo`: put back the data of before the last restore; current data is kept in its turn."""
    places = AppPaths.from_environment()
    # A restore that still waits has changed nothing yet; undone, it is only called off.
    was_waiting = places.restoring.is_dir()
    if not was_waiting and last_aside(places) is None:
        print("There is nothing to put back: no backup was restored in the last 30 days.", file=sys.stderr)
        return 1
    put_back(places)
    waits = places.restoring.is_dir()
    before = put_in_place(places)
    if options.json:
        print_json({"restored": before is not None, "before": str(before) if before else None})
    elif before is not None:
        print(f"Put back. What was here until now is kept for 30 days in {before}.")
    elif waits:
        print(f"{APP_NAME} is open. What was here before is put back when {APP_NAME} starts the next time.")
    else:
        print("The restore that was waiting was cancelled. Nothing was changed.")
    return 0
