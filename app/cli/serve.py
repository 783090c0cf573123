"""`serve` in the terminal: other programs use the models of this computer, until Ctrl+C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from app import APP_NAME
from app.cli import terminal
from app.core.catalogue import tr
from app.core.errors.server_errors import KeyFileUnreadable
from app.core.events import CancelToken
from app.core.paths import AppPaths
from app.features.models.fetch_model import build_models
from app.features.models.model_engines import build_engine, build_pool
from app.features.serving.answer_server import build_serving
from app.hub.hub_token import HubToken
from app.server.access_guard import AccessRules
from app.server.http_application import make_application
from app.server.running import PORT, RunningServer, ServerSwitch, names_of

if TYPE_CHECKING:
    from app.features.mcp.client_session import ListTools
    from app.features.tools.lent_documents import LentDocuments
    from app.features.tools.tool import Tool

# The list of processes shows other people on this computer an argument, but not the environment.
KEY_VARIABLE = "FIRESIDE_SERVE_KEY"
MOST_KEY_CHARACTERS = 1000
LEAST_CONTEXT, MOST_CONTEXT = 256, 10_000_000
NOTHING_LENT = (
    "No documents are lent. Name some with --documents, add --allow-documents, or turn on “Let other programs read "
    "your documents” under Settings › Servers and sharing."
)
LOCKED_MEANWHILE = "{app} was locked, so the documents are no longer lent."
OPEN_WARNING = "Anyone who can reach this computer and has the key can use it. The connection isn’t encrypted."


def add_arguments(part: argparse.ArgumentParser) -> None:
    part.add_argument("--port", metavar="N", type=_parse_port, default=PORT, help=tr(terminal.PORT_HELP, port=PORT))
    part.add_argument(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help=tr("address to listen on (127.0.0.1: this computer only)"),
    )
    part.add_argument(
        "--key",
        metavar="KEY",
        help=tr(
            "key that programs must send; default: a stored one. Visible in the list of processes, "
            "so prefer --key-file or {variable}",
            variable=KEY_VARIABLE,
        ),
    )
    part.add_argument("--key-file", metavar="FILE", type=Path, help=tr("a file with the key on its first line"))
    part.add_argument(
        "--context",
        metavar="N",
        type=_parse_context,
        default=0,
        help=tr("context of every model, in tokens (default: 8192, more for longer prompts)"),
    )
    part.add_argument(
        "--model",
        metavar="FILE",
        type=Path,
        help=tr(
            "a GGUF file for programs that name no model; default: the chosen one, else the starter. "
            "Other models load when programs name them"
        ),
    )
    part.add_argument(
        "--origin",
        metavar="ORIGIN",
        action="append",
        default=[],
        help=tr("a web page that may connect from a browser, such as app://obsidian.md; can be given several times"),
    )
    _add_documents(part)
    part.set_defaults(run=run_serve)


def _add_documents(part: argparse.ArgumentParser) -> None:
    lent = part.add_mutually_exclusive_group()
    lent.add_argument(
        "--documents", metavar="FILE", type=Path, nargs="+", default=[],
        help=tr(
            "documents or folders that other programs may search and read by MCP, at /mcp or with "
            "--stdio; none else"
        ),
    )  # fmt: skip
    lent.add_argument(
        "--allow-documents", action="store_true",
        help=tr(
            "let them read all documents of your chats, summaries and translations, as the switch in "
            "Settings does"
        ),
    )  # fmt: skip
    part.add_argument(
        "--stdio", action="store_true",
        help=tr(
            "be an MCP server on standard input and output for the program that starts this: only "
            "the documents, no model, no port, no key"
        ),
    )  # fmt: skip


def run_serve(options: argparse.Namespace) -> int:
    if options.stdio:
        return _serve_stdio(options)
    # Read first: a wrong file is told before a model is loaded.
    given = given_key(options.key, options.key_file)
    paths = AppPaths.from_environment()
    settings = terminal.stored_settings()
    if options.context:
        # For every model that is loaded from here on, also those that programs name.
        settings = replace(settings, engine=replace(settings.engine, context_tokens=options.context))
    path = terminal.model_path(options.model, settings.engine.model_path)
    engine = build_engine(paths, sees=True)
    try:
        with (
            build_models(paths) as models,
            terminal.interruptible_token() as cancel,
            _open_documents(options, paths, cancel) as list_tools,
        ):
            # Before it listens: the first request would otherwise wait for the model.
            terminal.load_model(engine, path, settings, cancel)
            # Nobody sits before this one, so a model that a program names may take the other's place.
            pool = build_pool(engine, lambda: path, lambda: settings, lambda: build_engine(paths, sees=True))
            serving = build_serving(paths, pool, models, lambda: settings, may_replace=True)
            # The same key as the window's server, from the keyring.
            key, is_kept = (given, True) if given else ServerSwitch(serving, HubToken()).read_key()
            if not is_kept:
                print(
                    tr(
                        "This system has no keyring, so the key will be different next time. Use --key-file to "
                        "keep one."
                    ),
                    file=sys.stderr,
                )
            rules = AccessRules(key, names_of(options.host), (*settings.serving.origins, *options.origin))
            server = RunningServer(make_application(serving, rules, list_tools), options.host, options.port)
            server.start()
            # A key from a file or the environment stays out of logs of the terminal.
            told = key if options.key or not given else tr("the one you gave")
            print(words_of(server, told), file=sys.stderr)
            is_locked = _watch_lock(options, paths)
            while not cancel.cancelled and not is_locked():
                # Ctrl+C sets the token, in this thread; on Windows a wait without an end would not notice it.
                threading.Event().wait(0.2)
            # Before its models are closed, so that running answers end in order.
            server.stop()
            pool.close()
    finally:
        engine.close()
    return 0


def _serve_stdio(options: argparse.Namespace) -> int:
    from app.server.tool_streams import serve_streams  # only here

    paths = AppPaths.from_environment()
    with ExitStack() as stack:
        with terminal.interruptible_token() as cancel:
            # What is said while files are read would be no message: it goes to standard error.
            out = stack.enter_context(_take_output())
            list_tools = stack.enter_context(_open_documents(options, paths, cancel))
        if cancel.cancelled:
            return terminal.INTERRUPTED
        if not list_tools():
            print(tr(NOTHING_LENT), file=sys.stderr)
        is_over = threading.Event()
        stack.callback(is_over.set)
        if (is_locked := _watch_lock(options, paths)) is not _never:
            # A shell that starts programs in the background lets them ignore it.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            threading.Thread(target=_interrupt_once, args=(is_locked, is_over), name="lock watch", daemon=True).start()
        # Without the token: Ctrl+C has to interrupt the waiting for a line.
        serve_streams(list_tools, sys.stdin.buffer, out)
    return 0


def _never() -> bool:
    return False


def _watch_lock(options: argparse.Namespace, paths: AppPaths) -> Callable[[], bool]:
    """Return what tells, and says, that the window was locked while stored documents are lent."""
    if paths.unlocked is None or options.documents:
        return _never
    from app.features.lock.open_copies import LockWatch  # most have no lock

    watch = LockWatch(paths)

    def is_locked() -> bool:
        if not watch.is_locked or not (options.allow_documents or terminal.stored_settings().serving.lends_documents):
            return False
        print(tr(LOCKED_MEANWHILE, app=APP_NAME), file=sys.stderr, flush=True)
        return True

    return is_locked


def _interrupt_once(is_locked: Callable[[], bool], is_over: threading.Event) -> None:
    """Interrupt the main thread, which waits for a line, as Ctrl+C does."""
    while not is_over.wait(0.2):
        if is_locked():
            main_thread = threading.main_thread().ident
            if main_thread is not None and hasattr(signal, "pthread_kill"):
                signal.pthread_kill(main_thread, signal.SIGINT)
            else:
                signal.raise_signal(signal.SIGINT)
            return


@contextmanager
def _take_output() -> Iterator[IO[bytes]]:
    """Yield standard output, and send whatever else is written there to standard error meanwhile."""
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    try:
        with os.fdopen(own, "wb", closefd=False) as out:
            yield out
    finally:
        os.dup2(own, 1)
        os.close(own)


@contextmanager
def _open_documents(options: argparse.Namespace, paths: AppPaths, cancel: CancelToken) -> Iterator[ListTools]:
    """Yield what lists the tools over the documents that the command lends, or else the settings."""
    with ExitStack() as stack:
        if options.documents:
            from app.cli.opened_documents import lend_files  # a server that lends none does without, see below

            yield stack.enter_context(lend_files(options.documents, paths, cancel)).list_tools
        else:
            yield _StoredTools(paths, stack, is_allowed=options.allow_documents).list_tools


class _StoredTools:
    """Opens the stored documents when a program first asks for them with the grant: until then it saves 3 MB."""

    def __init__(self, paths: AppPaths, stack: ExitStack, *, is_allowed: bool) -> None:
        self._paths, self._stack, self._is_allowed = paths, stack, is_allowed
        self._lock = threading.Lock()
        self._lent: LentDocuments | None = None

    def list_tools(self) -> Sequence[Tool]:
        """Return the tools, or none of them without the grant."""
        if not self._is_lent():
            return ()
        with self._lock:
            if self._lent is None:
                from app.cli.opened_documents import lend_stored

                self._lent = self._stack.enter_context(lend_stored(self._paths, self._is_lent))
        return self._lent.list_tools()

    def _is_lent(self) -> bool:
        # Asked each time: a grant that is taken back in the window counts at once.
        return self._is_allowed or terminal.stored_settings().serving.lends_documents


def given_key(key: str | None, file: Path | None) -> str:
    """Return the key from command line, file or environment, in this order;

    "" without one. Raises KeyFileUnreadable for a file that is unreadable or has no key.
    """
    if key:
        return key
    if file is None:
        # An empty variable counts as none.
        return os.environ.get(KEY_VARIABLE, "").strip()
    try:
        with file.expanduser().open(encoding="utf-8") as opened:
            # Limited, since it may be any file: a device has no end of a line.
            found = opened.readline(MOST_KEY_CHARACTERS).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileUnreadable(str(file), getattr(error, "strerror", None) or tr("it isn’t text")) from error
    if not found:
        raise KeyFileUnreadable(str(file), tr("its first line is empty"))
    return found


def words_of(server: RunningServer, key: str) -> str:
    """Return the start message, with a warning if other computers can reach the server."""
    lines = [
        tr("{app} answers at {address}", app=APP_NAME, address=server.address),
        tr("The key is {key}", key=key),
        tr(terminal.PRESS_TO_STOP),
    ]
    return "\n".join([*lines, *([tr(OPEN_WARNING)] if server.is_open else [])])


def _parse_context(text: str) -> int:
    value = int(text)
    if not LEAST_CONTEXT <= value <= MOST_CONTEXT:
        raise argparse.ArgumentTypeError(tr(terminal.BETWEEN, least=LEAST_CONTEXT, most=MOST_CONTEXT))
    return value


def _parse_port(text: str) -> int:
    value = int(text)
    if not 0 <= value < 65536:
        raise argparse.ArgumentTypeError(tr(terminal.BETWEEN, least=0, most=65535))
    return value
