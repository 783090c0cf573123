"""`backup OUT` in the terminal: all of the user's data in one file."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from app.cli import terminal
from app.core.catalogue import tr
from app.core.paths import AppPaths
from app.core.visible import size_words
from app.features.exchange.backup import BackupFinished, back_up
from app.store.database import Database


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = tr(
        "Save chats, projects, assistants, memories, prompts, summaries, translations, pages, "
        "glossaries and settings in one file. Models and the access token aren’t included. The "
        "file isn’t encrypted, so keep it private."
    )
    parser.add_argument("output", metavar="OUT", type=Path, help=tr("file to write, such as fireside-backup.zip"))
    terminal.add_json(parser, run_backup)


def run_backup(options: argparse.Namespace) -> int:
    """`backup`: nothing is left of one that is interrupted."""
    places, path = AppPaths.from_environment(), options.output.expanduser().absolute()
    line = terminal.TerminalProgress()
    # "done" stays None where an interruption came before the first event.
    done = None
    with closing(Database.open(places.database)) as database, terminal.interruptible_token() as cancel:
        for event in back_up(path, places, database, cancel):
            if isinstance(event, BackupFinished):
                done = event
            elif event.total_bytes:
                line.show(
                    tr("Saving"),
                    tr(
                        "{share:.0%} of {size}",
                        share=event.done_bytes / event.total_bytes,
                        size=size_words(event.total_bytes),
                    ),
                )
    line.end()
    if done is None or done.is_cancelled:
        return terminal.INTERRUPTED
    if options.json:
        terminal.print_json({"path": str(path), "size_bytes": done.size_bytes, "files": done.files})
    else:
        print(f"{path} ({size_words(done.size_bytes)})")
    return 0
