"""Helpers of the terminal's commands: JSON output, interruptible work, passwords, progress, choice of model."""

from __future__ import annotations

import argparse
import getpass
import json
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from app.core.catalogue import Translatable, tr
from app.core.child import BEAT_EVERY_S, Child, SilenceWatch
from app.core.errors.document_errors import DocumentLocked
from app.core.errors.model_errors import NoModel
from app.core.errors.server_errors import DocumentStaysHere
from app.core.events import CancelToken, ModelLoaded
from app.core.paths import AppPaths, runs_elsewhere, starter_model
from app.core.settings import Settings, load_settings
from app.core.visible import visible_name, visible_text
from app.engine.contract import Engine
from app.features.error_messages import sentence_for, silence_sentence
from app.features.models.model_engines import load_options

if TYPE_CHECKING:
    from app.remote.servers import RemoteServers

Result = TypeVar("Result")

# 128 + SIGINT, as shells have it.
INTERRUPTED = 130
# Log files get a line as often as this.
QUIET_EVERY_S = 5.0
# JSON escapes control characters below space itself; these are the others that terminals obey, with directions.
_CONTROLS = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
LOCAL_MODEL = "a GGUF file; default: the chosen one, else the starter"
_SERVER_MODEL = "a GGUF file or the name of a model on a server; default: "
MODEL_HELP = f"{_SERVER_MODEL}the chosen model, else the starter"
MODEL_OF_SUMMARIES = f"{_SERVER_MODEL}the one chosen for summaries, else for chats, else the starter"
MODEL_OF_TRANSLATIONS = f"{_SERVER_MODEL}the one chosen for translations, else for chats, else the starter"
PORT_HELP = "port to listen on ({port}); 0: any free port"
BETWEEN = "must be between {least} and {most}"
END_IN_ONE = "must end in one of {endings}"
SAVED = "Saved {path}."
PRESS_TO_STOP = "Press Ctrl+C to stop."
MUST_END_IN = "{name} must end in one of {endings}."
NO_FOLDER = "The folder {path} doesn’t exist."


class SafeStream:
    """A terminal that is written to as to any file: what would act on it is seen instead of obeyed.

    `terminal` is the stream itself, for what is ours to say to it.
    """

    def __init__(self, terminal: TextIO) -> None:
        self.terminal = terminal

    def write(self, text: str) -> int:
        """Write text with control characters made visible."""
        # A model's words and files' names could otherwise move the cursor, set the title or type into the shell.
        self.terminal.write(visible_text(text))
        # Callers count characters of theirs, not of what is shown.
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.terminal, name)


def make_terminals_safe() -> None:
    """Keep printed text (a model's words, a file's name) from controlling the terminal.

    Files and pipes get every character unchanged.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        # Pipes and files get every character: other programs need the text as it is.
        if stream is not None and stream.isatty() and not isinstance(stream, SafeStream):
            setattr(sys, name, SafeStream(stream))


@contextmanager
def silence_told() -> Iterator[None]:
    """Report an unresponsive child on standard error, once until it responds again."""
    over, watch, told = threading.Event(), SilenceWatch(), list[Child]()

    def tell() -> None:
        while not over.wait(BEAT_EVERY_S):
            # A child without a task may be silent as long as it likes.
            silent = [child for child in watch.find_silent() if child.work]
            for child in silent:
                if child not in told:
                    begin = "\n" if sys.stderr.isatty() else ""  # there an answer or a progress line may stand
                    text = silence_sentence(child.work, child.subject).text
                    print(f"{begin}{text} {tr(PRESS_TO_STOP)}", file=sys.stderr, flush=True)
            # One that answers again and falls silent once more is told once more.
            told[:] = silent

    thread = threading.Thread(target=tell, name="silence", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        # Joined, so that no sentence comes after the command's last one.
        thread.join()


def print_json(body: dict[str, Any]) -> None:
    """Print the JSON object; control characters in its texts become JSON escapes."""
    text = json.dumps(body, ensure_ascii=False)
    print(_CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def pick_fields(value: object, *names: str) -> dict[str, Any]:
    """Return attributes of a value by name, as JSON has them."""
    return {name: getattr(value, name) for name in names}


def stored_settings() -> Settings:
    return load_settings(AppPaths.from_environment().settings)[0]


def add_json(parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], int]) -> None:
    """Add --json, as every command's last option, and set what runs the command."""
    parser.add_argument("--json", action="store_true", help=tr("print one JSON object"))
    parser.set_defaults(run=run)


def add_model_option(parser: argparse.ArgumentParser, text: Translatable = MODEL_HELP) -> None:
    """Add --model with the help text that says its default."""
    parser.add_argument("--model", metavar="FILE", type=Path, help=tr(text))


def add_password(parser: argparse.ArgumentParser) -> None:
    text = tr("password for PDF files; you are asked for it if not given")
    parser.add_argument("--password", metavar="TEXT", default="", help=text)


def add_sampling(parser: argparse.ArgumentParser) -> None:
    """Add --temperature and --seed."""
    text = tr("0 always picks the most likely token")
    parser.add_argument("--temperature", metavar="T", type=parse_temperature, help=text)
    parser.add_argument("--seed", metavar="N", type=parse_seed, help=tr("the same seed gives the same text"))


def parse_positive(text: str) -> int:
    """Parse an option's value of 1 or more."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(tr("must be 1 or more"))
    return value


def parse_temperature(text: str) -> float:
    """Parse an option's value of 0 to 5."""
    value = float(text)
    if not 0 <= value <= 5:
        raise argparse.ArgumentTypeError(tr(BETWEEN, least=0, most=5))
    return value


def parse_seed(text: str) -> int:
    value = int(text)
    if not 0 <= value < 2**32:
        raise argparse.ArgumentTypeError(tr(BETWEEN, least=0, most=4294967295))
    return value


def ask_password(error: DocumentLocked) -> str:
    """Ask for a password on the terminal.

    Raises the error again if nothing is typed or there is no terminal. Ctrl+C raises KeyboardInterrupt, whatever it
    does otherwise.
    """
    # Without a terminal nobody can type; a script is to get the error.
    if not sys.stdin.isatty():
        raise error
    print(sentence_for(error).text, file=sys.stderr)
    # getpass waits in C: with a token's handler Ctrl+C would only be noted and the question stay.
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        password = getpass.getpass(tr("Password: "))
    except EOFError:
        # Ctrl+D is like typing nothing.
        password = ""
    finally:
        signal.signal(signal.SIGINT, previous)
    if not password:
        raise error
    return password


def read_unlocked(given: str, read: Callable[[str], Result]) -> Result:
    """Call `read` with the given password, else ask until it is right.

    Raises DocumentLocked if the given one is wrong, or without a terminal.
    """
    password = given
    while True:
        try:
            return read(password)
        except DocumentLocked as error:
            # A given one is not asked again: scripts would hang.
            if given:
                raise
            password = ask_password(error)


def left_words(seconds: float | None) -> str:
    """Format the time left in brackets; "" if unknown."""
    if seconds is None:
        return ""
    minutes = round(seconds / 60)
    return tr("(about {minutes:,} min left)", minutes=minutes) if minutes else tr("(less than 1 min left)")


@contextmanager
def interruptible_token() -> Iterator[CancelToken]:
    """Yield a token that Ctrl+C cancels; a second Ctrl+C raises as usual."""
    cancel = CancelToken()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        # The work may be stuck where it does not look at the token.
        if cancel.cancelled:
            raise KeyboardInterrupt
        cancel.cancel()

    # Only the main thread may set handlers; commands run in it.
    previous = signal.signal(signal.SIGINT, stop)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, previous)


def model_path(asked: Path | None, *chosen: str) -> Path:
    """Return the requested model, else the first named in the settings, else the starter. Raises NoModel.

    A remote model must be requested by name; otherwise nothing is sent off this computer: DocumentStaysHere.
    """
    if asked is not None:
        path = asked.expanduser().absolute()
        # A file of that name comes first; the path itself, if neither exists, so that the error names it.
        return path if path.exists() else _on_server(str(asked)) or path
    named = next(filter(None, chosen), "")
    found = Path(named) if named else starter_model()
    if found is None:
        raise NoModel
    # A model chosen in the window may be elsewhere; a command must not send a file there unasked.
    if runs_elsewhere(found):
        server = _make_servers().read_model(found).server
        if not server.is_this_computer:
            print(
                tr("The chosen model runs on {host}. Name it with --model to use it from here.", host=server.host),
                file=sys.stderr,
            )
            raise DocumentStaysHere(server.host, tr("Your text"))
    return found


def _on_server(name: str) -> Path | None:
    model = _make_servers().find_model(name)
    return model.path if model is not None else None


def _make_servers() -> RemoteServers:
    from app.hub.hub_token import HubToken  # most use a model that is here
    from app.remote.servers import RemoteServers

    return RemoteServers(AppPaths.from_environment().servers, HubToken())


def load_model(
    engine: Engine, path: Path, settings: Settings, cancel: CancelToken, *, projector: Path | None = None
) -> ModelLoaded:
    """Load a model as the settings say, with its projector. Raises KeyboardInterrupt when cancelled."""
    wish = replace(load_options(settings.engine), projector=str(projector.absolute()) if projector else "")
    for event in engine.load(path, wish, cancel=cancel):
        if isinstance(event, ModelLoaded):
            return event
    # Loading ends without the event only where it was cancelled.
    raise KeyboardInterrupt


def load_chosen(
    engine: Engine, asked: Path | None, settings: Settings, cancel: CancelToken, *, projector: Path | None = None
) -> ModelLoaded:
    """Load the requested model, else the one chosen for chats or the starter."""
    return load_model(engine, model_path(asked, settings.engine.model_path), settings, cancel, projector=projector)


class TerminalProgress:
    """Progress: one line rewritten in place on a terminal.

    Elsewhere a line every few seconds and at each new beginning.
    """

    def __init__(self) -> None:
        self._is_live = sys.stderr.isatty()
        self._beginning, self._width, self._told_s = "", 0, float("-inf")

    def __enter__(self) -> TerminalProgress:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.end()

    def show(self, beginning: str, rest: str = "") -> None:
        """`beginning` says what is done, `rest` how far it is."""
        text = f"{beginning} {rest}".rstrip()
        if self._is_live:
            # A line break in a file's name would begin a line that is not rewritten.
            text = visible_name(text)
            # SafeStream would show the carriage return instead of obeying it.
            terminal = sys.stderr.terminal if isinstance(sys.stderr, SafeStream) else sys.stderr
            # Filled up, so that a shorter text covers the longer one before it.
            print(f"\r{text.ljust(self._width)}", end="", file=terminal, flush=True)
            self._width = len(text)
            return
        now_s = time.monotonic()
        # A new beginning is told at once; its progress only now and then.
        if beginning != self._beginning or now_s - self._told_s >= QUIET_EVERY_S:
            self._beginning, self._told_s = beginning, now_s
            print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Finish the line before others print."""
        if self._is_live and self._width:
            print(file=sys.stderr, flush=True)
            self._width = 0
