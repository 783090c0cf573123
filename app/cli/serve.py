"""`serve` in the terminal: other programs use the models of this computer, until Ctrl+C."""

from __future__ import annotations

import argparse
import sys
import threading
from pathlib import Path

from app.bootstrap import build_engine, build_models, build_serving
from app.cli.terminal import interruptible, load_model, model_path
from app.core.paths import AppPaths
from app.core.settings import load_settings
from app.hub.access import Token
from app.server.application import Rules, application
from app.server.running import PORT, RunningServer, ServerSwitch, names_of


def add_arguments(part: argparse.ArgumentParser) -> None:
    """What `serve` takes."""
    part.add_argument("--port", metavar="N", type=_port, default=PORT, help=f"where it listens ({PORT}); 0: a free one")
    part.add_argument(
        "--host", metavar="ADDRESS", default="127.0.0.1", help="on which address (127.0.0.1: this computer only)"
    )
    part.add_argument("--key", metavar="KEY", help="what programs have to show; default: one that is made and kept")
    part.add_argument(
        "--model",
        metavar="FILE",
        type=Path,
        help="a GGUF file, for programs that name no model; default: the chosen one, else the starter. "
        "Others that they name come beside it, or in its place where there is no room",
    )
    part.add_argument(
        "--origin",
        metavar="ORIGIN",
        action="append",
        default=[],
        help="a web page that may ask from a browser, such as app://obsidian.md; may be given several times",
    )
    part.set_defaults(run=run_serve)


def run_serve(options: argparse.Namespace) -> int:
    """`serve`: runs until it is interrupted."""
    paths = AppPaths.from_environment()
    settings, _ = load_settings(paths.settings)
    path = model_path(options.model, settings.engine.model_path)
    engine = build_engine(paths, sees=True)
    try:
        with build_models(paths) as models, interruptible() as cancel:
            load_model(engine, path, settings, cancel)
            serving = build_serving(paths, lambda: engine, models, lambda: settings, lambda: path, may_replace=True)
            key, is_kept = (options.key, True) if options.key else ServerSwitch(serving, Token()).key()
            if not is_kept:
                print(
                    "There is no keyring here: the key is another one the next time, or give one by --key.",
                    file=sys.stderr,
                )
            rules = Rules(key, names_of(options.host), (*settings.serving.origins, *options.origin))
            server = RunningServer(application(serving, rules), options.host, options.port)
            server.start()
            print(words_of(server, key), file=sys.stderr)
            while not cancel.cancelled:
                threading.Event().wait(0.2)
            server.stop()
            serving.engines.close()
    finally:
        engine.close()
    return 0


def words_of(server: RunningServer, key: str) -> str:
    """What to know of one that runs, and what it means where other computers can reach it."""
    words = f"Fireside answers at {server.address}\nThe key is {key}\nCtrl+C ends it."
    meaning = "Everybody who reaches this computer and has the key can use it, and what passes is not encrypted."
    return f"{words}\n{meaning}" if server.is_open else words


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value < 65536:
        raise argparse.ArgumentTypeError("must be between 0 and 65535")
    return value
