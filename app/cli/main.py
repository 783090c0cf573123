"""The terminal, without Qt: every command of `COMMANDS`.

Standard output carries the answer (or one JSON object with ``--json``); progress, warnings and errors go to standard
error. Exit codes: 0 done, 1 an error explained in one sentence, 2 usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import TextIO

from app import APP_ID, APP_NAME
from app.cli.parser_texts import translate_parsers
from app.cli.terminal import INTERRUPTED, make_terminals_safe, silence_told, stored_settings
from app.core.build import this_build
from app.core.catalogue import Translatable, tr, use_catalogue
from app.core.errors.app_error import AppError
from app.core.errors.database_errors import UNUSABLE_DATABASE
from app.core.installed_languages import choose_language, load_texts, system_languages
from app.core.paths import AppPaths, close_to_others, has_lock_to_open
from app.features.error_messages import sentence_for
from app.features.work.saved_file import remove_interrupted

SHOW_VERSION = "show the version number and exit"
COMMANDS: dict[str, Translatable] = {
    "chat": "ask one question (-p, or text on standard input), or chat in the terminal",
    "chats": "list, export and import chats",
    "complete": "continue a text, without a chat",
    "inspect": "look inside a model: tokens, probabilities, attention, layers, anatomy, comparisons",
    "models": "list, search, download, import and remove models",
    "read": "print a document’s text as Markdown with page marks",
    "search": "find passages in documents that answer a question, without a model",
    "summarize": "summarize documents, with the page of each statement",
    "transcribe": "transcribe a recording, with times",
    "translate": "translate a text, or a document in its own format",
    "evaluate": "measure a model on documents with known results",
    "tools": "measure how well a model calls tools",
    "serve": "let other programs use the models on this computer",
    "lend": "let another computer use this one’s memory for a model",
    "backup": "save everything you made in one file",
    "restore": "restore a backup",
    "trash": "list, restore or permanently delete what’s in the trash",
    "lock": "encrypt everything you wrote with a passphrase",
    "tune": "measure how a model runs fastest on this computer, and use that from then on",
    "doctor": "show this computer’s devices, folders and models",
}
"""Each is a module of this package, with `add_arguments`."""


def run(arguments: list[str]) -> int:
    """Run one command; return its exit code."""
    # Before argparse, which may print already.
    _use_utf8(sys.stdin, sys.stdout, sys.stderr)
    # After the encoding is set: from here on the streams are wrapped.
    make_terminals_safe()
    use_catalogue(load_texts(choose_language(stored_settings().appearance.language, system_languages())))
    translate_parsers()
    options = _make_parser(arguments).parse_args(arguments)
    try:
        # Only folders that were open to others are walked through: this runs before every command.
        close_to_others(AppPaths.from_environment().folders, deeply=False)
        # What an earlier run that was killed left behind.
        remove_interrupted()
        if has_lock_to_open(AppPaths.from_environment()):
            from app.cli.lock import open_for_command  # most have no lock

            open_for_command(arguments[0])
        with silence_told():
            code: int = options.run(options)
        # Here, where a pipe that has been closed is still caught.
        sys.stdout.flush()
        return code
    except AppError as error:
        print(sentence_for(error).text, file=sys.stderr)
        # A restored backup may be why.
        if isinstance(error, UNUSABLE_DATABASE):
            _tell_undo(AppPaths.from_environment())
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`| head`): nothing to say, and nothing left to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:  # what nobody below took for a situation, such as a disk that went away
        print(f"{error.strerror or error}{f': {error.filename}' if error.filename else '.'}", file=sys.stderr)
        return 1


def _tell_undo(places: AppPaths) -> None:
    """Hint at undoing a restore, which may be why the data can't be used."""
    from app.features.exchange.restore_backup import last_aside  # seldom needed

    if last_aside(places) is not None:
        print(tr("To undo the last restore: {command} restore --undo", command=APP_ID), file=sys.stderr)


def whole_parser() -> argparse.ArgumentParser:
    """Build the parser with all options of all commands, for manual page and completions. Imports everything."""
    return _make_parser([], is_whole=True)


def _make_parser(arguments: list[str], *, is_whole: bool = False) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=APP_ID,
        description=tr("{app}: chat with models on this computer.", app=APP_NAME),
        epilog=tr(
            "Without a command, the window opens with any FILE you name. --summarize or --translate FILE... opens "
            "that tab, --ask [WORDS] quick ask."
        ),
    )
    parser.add_argument("--version", action="version", version=this_build().line, help=tr(SHOW_VERSION))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, words in COMMANDS.items():
        command = commands.add_parser(name, help=tr(words))
        if is_whole or arguments[:1] == [name]:  # only what is asked for is imported: some of them take their time
            import_module(f"app.cli.{name}").add_arguments(command)
    return parser


def _use_utf8(*streams: TextIO | None) -> None:
    """UTF-8 whatever the locale says; bytes that are not text are replaced, never an exception."""
    for stream in streams:
        # Streams that tests or other programs put in place may lack it.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
