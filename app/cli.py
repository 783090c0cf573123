"""The terminal face, without Qt: `chat`, `models`, `read`, `summarize`, `translate`, `evaluate`, `doctor`.

Standard output carries the answer (or one JSON object with ``--json``); progress, warnings and errors go to
standard error. Exit codes: 0 done, 1 a failure told in one sentence, 2 usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from app import APP_ID, APP_NAME, __version__
from app.bootstrap import build_engine, build_models
from app.core.errors import AppError
from app.core.events import AnswerStats, Finished, FinishReason, Message, ModelLoaded, Role, TextDelta
from app.core.paths import AppPaths, close_to_others
from app.core.settings import Settings, load_settings
from app.core.visible import clean_text
from app.engine.client import EngineClient
from app.features.options import options_for
from app.features.sentences import sentence_for
from app.terminal import (
    INTERRUPTED,
    interruptible,
    load_model,
    make_terminals_safe,
    model_path,
    positive,
    print_json,
    silence_told,
)


def run(arguments: list[str]) -> int:
    """Runs one command; returns its exit code."""
    _use_utf8(sys.stdin, sys.stdout, sys.stderr)
    make_terminals_safe()
    options = _parser(arguments).parse_args(arguments)
    try:
        close_to_others(AppPaths.from_environment().folders, deeply=False)
        with silence_told():
            code: int = options.run(options)
        sys.stdout.flush()
        return code
    except AppError as error:
        print(sentence_for(error).text, file=sys.stderr)
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


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=APP_ID, description=f"{APP_NAME}: talk to models on this computer.")
    parser.add_argument("--version", action="version", version=f"{APP_NAME} {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    chat = commands.add_parser("chat", help="ask once (-p, or text on standard input), or chat in the terminal")
    chat.add_argument("-p", "--prompt", metavar="TEXT", help="the question; without it, standard input")
    chat.add_argument(
        "--model", metavar="FILE", type=Path, help="a GGUF file; default: the chosen one, else the starter"
    )
    chat.add_argument("--system", metavar="TEXT", help="instructions for the whole chat")
    chat.add_argument("--max-tokens", metavar="N", type=positive, help="longest answer")
    chat.add_argument("--temperature", metavar="T", type=_temperature, help="0 is always the likeliest word")
    chat.add_argument("--seed", metavar="N", type=_seed, help="the same seed gives the same answer")
    chat.add_argument("--json", action="store_true", help="one JSON object on standard output")
    chat.set_defaults(run=run_chat)

    models = commands.add_parser("models", help="list, find, fetch, bring along and remove models")
    if arguments[:1] == ["models"]:  # what it needs takes its time to import
        from app.cli_models import add_commands

        add_commands(models)

    read = commands.add_parser("read", help="a document's text as Markdown with page marks")
    if arguments[:1] == ["read"]:
        from app.cli_documents import add_arguments

        add_arguments(read)

    summarize = commands.add_parser("summarize", help="a summary of documents, each statement with its page")
    translate = commands.add_parser("translate", help="a text, or a document in its own format")
    evaluate = commands.add_parser("evaluate", help="how well a model does on documents with known results")
    if arguments[:1] == ["summarize"]:
        from app import cli_summaries

        cli_summaries.add_arguments(summarize)
    if arguments[:1] == ["translate"]:
        from app import cli_translations

        cli_translations.add_arguments(translate)
    if arguments[:1] == ["evaluate"]:
        from app import cli_evaluate

        cli_evaluate.add_commands(evaluate)

    doctor = commands.add_parser("doctor", help="what this computer offers: devices, folders, models")
    doctor.add_argument("--json", action="store_true", help="one JSON object on standard output")
    doctor.set_defaults(run=run_doctor)
    return parser


def _temperature(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 5:
        raise argparse.ArgumentTypeError("must be between 0 and 5")
    return value


def _seed(text: str) -> int:
    value = int(text)
    if not 0 <= value < 2**32:
        raise argparse.ArgumentTypeError("must be between 0 and 4294967295")
    return value


@dataclass
class ChatRun:
    """One terminal chat: the parts it needs and the options it was given."""

    engine: EngineClient
    settings: Settings
    options: argparse.Namespace
    model: ModelLoaded

    def answer(self, messages: list[Message], out: TextIO | None) -> tuple[str, AnswerStats]:
        """Answers a conversation, writing text to `out` as it comes; Ctrl+C stops it. Thinking is left out."""
        text: list[str] = []
        with interruptible() as cancel:
            for event in self.engine.generate(messages, cancel=cancel, **self._options()):
                if isinstance(event, TextDelta) and not event.thinking:
                    text.append(event.text)
                    if out is not None:
                        out.write(event.text)
                        out.flush()
                elif isinstance(event, Finished):
                    return "".join(text), event.stats
        raise AssertionError("an answer always finishes or raises")

    def _options(self) -> dict[str, Any]:
        """What the settings say, and the command line before them."""
        options = options_for(None, self.settings, self.model)
        asked = {"temperature": self.options.temperature, "seed": self.options.seed}
        given = {name: value for name, value in asked.items() if value is not None}
        options["sampling"] = replace(options["sampling"], **given)
        if self.options.max_tokens:
            options["max_tokens"] = self.options.max_tokens
        return options


def run_chat(options: argparse.Namespace) -> int:
    """`chat`: one question, or a conversation on a terminal."""
    prompt = options.prompt
    if prompt is None and not sys.stdin.isatty():
        prompt = sys.stdin.read().strip()
        if not prompt:
            print("There is no text on standard input. Say something with -p TEXT.", file=sys.stderr)
            return 2
    elif prompt is None and options.json:
        print("--json needs -p TEXT, or text on standard input.", file=sys.stderr)
        return 2
    paths = AppPaths.from_environment()
    settings, _ = load_settings(paths.settings)
    with closing(build_engine(paths)) as engine:
        with interruptible() as cancel:
            model = load_model(engine, model_path(options.model, settings.engine.model_path), settings, cancel)
        chat = ChatRun(engine, settings, options, model)
        system = options.system if options.system is not None else settings.chat.system_prompt
        messages = [Message(Role.SYSTEM, clean_text(system))] if system.strip() else []
        if prompt is None:
            return _converse(chat, messages)
        return _ask_once(chat, [*messages, Message(Role.USER, clean_text(prompt))])


def _ask_once(chat: ChatRun, messages: list[Message]) -> int:
    text, stats = chat.answer(messages, None if chat.options.json else sys.stdout)
    if chat.options.json:
        print_json({"text": text, "model": Path(chat.model.path).name} | asdict(stats))
    else:
        print()
    return INTERRUPTED if stats.finish_reason is FinishReason.CANCELLED else 0


def _converse(chat: ChatRun, messages: list[Message]) -> int:
    """The interactive chat: Ctrl+C stops an answer, Ctrl+D or an empty /quit ends."""
    print(f"{APP_NAME} {__version__}, {chat.model.name}. Ctrl+C stops an answer, Ctrl+D leaves.", file=sys.stderr)
    while True:
        try:
            line = input("› ").strip()
        except (EOFError, KeyboardInterrupt):
            print(file=sys.stderr)
            return 0
        if line == "/quit":
            return 0
        if not line:
            continue
        messages.append(Message(Role.USER, clean_text(line)))
        try:
            text, _ = chat.answer(messages, sys.stdout)
            messages.append(Message(Role.ASSISTANT, text))
        except AppError as error:
            messages.pop()
            print(sentence_for(error), file=sys.stderr)
        print()


def run_doctor(options: argparse.Namespace) -> int:
    """`doctor`: what really exists on this computer, asked from the engine child itself."""
    paths = AppPaths.from_environment()
    with closing(build_engine(paths)) as engine:
        found = engine.describe_devices()
    with build_models(paths) as models:
        folder, installed = models.folder(), [str(row.model.path) for row in models.installed()]
    report: dict[str, Any] = {
        "version": __version__,
        "python": platform.python_version(),
        "llama_cpp": found.llama_cpp,
        "devices": [asdict(device) for device in found.devices],
        "backends": list(found.backends),
        "threads": found.threads,
        "thread_policy": found.thread_policy,
        "folders": {name: str(getattr(paths, name)) for name in ("data", "config", "cache", "logs", "states")}
        | {"models": str(folder)},
        "models": installed,
    }
    if options.json:
        print_json(report)
    else:
        _print_report(report)
    return 0


def _print_report(report: dict[str, Any]) -> None:
    print(f"{APP_NAME} {report['version']}, Python {report['python']}, llama-cpp-python {report['llama_cpp']}")
    print(f"Threads: {report['threads']}")
    for name, value in report["thread_policy"].items():
        print(f"  {name.replace('_', ' ')}: {value}")
    print(f"Backends: {', '.join(report['backends'])}")
    for device in report["devices"]:
        memory = f"{device['free_bytes'] / 1e9:.1f} of {device['total_bytes'] / 1e9:.1f} GB free"
        print(f"Device: {device['name']} ({device['description']}), {device['type']}, {memory}")
    for name, folder in report["folders"].items():
        print(f"Folder for {name}: {folder}")
    for path in report["models"] or ["none"]:
        print(f"Model: {path}")


def _use_utf8(*streams: TextIO | None) -> None:
    """UTF-8 whatever the locale says; bytes that are not text are replaced, never an exception."""
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
