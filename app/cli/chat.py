"""`chat` in the terminal: one question, or a conversation.

Ctrl+C stops an answer; what was said before it stays.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from app import APP_NAME, __version__
from app.bootstrap import build_engine
from app.cli.terminal import INTERRUPTED, interruptible, load_model, model_path, positive, print_json, seed, temperature
from app.core.errors import AppError, ChatUnavailable
from app.core.events import AnswerStats, Finished, FinishReason, Message, ModelLoaded, Role, TextDelta
from app.core.paths import AppPaths
from app.core.settings import Settings, load_settings
from app.core.visible import clean_text
from app.engine.client import EngineClient
from app.features.chat.options import options_for
from app.features.messages import sentence_for


def add_arguments(chat: argparse.ArgumentParser) -> None:
    """What `chat` takes."""
    chat.add_argument("-p", "--prompt", metavar="TEXT", help="the question; without it, standard input")
    chat.add_argument(
        "--model", metavar="FILE", type=Path, help="a GGUF file; default: the chosen one, else the starter"
    )
    chat.add_argument("--system", metavar="TEXT", help="instructions for the whole chat")
    chat.add_argument("--max-tokens", metavar="N", type=positive, help="longest answer")
    chat.add_argument("--temperature", metavar="T", type=temperature, help="0 is always the likeliest word")
    chat.add_argument("--seed", metavar="N", type=seed, help="the same seed gives the same answer")
    chat.add_argument("--json", action="store_true", help="one JSON object on standard output")
    chat.set_defaults(run=run_chat)


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
        if not model.can_chat:
            raise ChatUnavailable(model.path)  # now, not after somebody has typed a question
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
