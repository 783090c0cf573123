"""`complete` in the terminal: continue a text with a model, without a chat."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from app.cli import terminal
from app.core.catalogue import tr
from app.core.events import CancelToken, FinishReason
from app.core.paths import AppPaths
from app.core.visible import clean_text
from app.engine.contract import Engine
from app.engine.protocol import Ask, Sampling
from app.features.chat.chat_options import sampling_of
from app.features.continue_page import Continuation, continue_text
from app.features.models.model_engines import build_engine
from app.features.write_pages import GREEDY

MOST_TOKENS = 128
# Each continuation is a sequence of its own in the engine's memory.
MOST_AT_ONCE = 16


def add_arguments(part: argparse.ArgumentParser) -> None:
    part.add_argument("-p", "--prompt", metavar="TEXT", help=tr("the text to continue; default: standard input"))
    part.add_argument(
        "--suffix", metavar="TEXT", default="", help=tr("text that comes after; the model fills in the middle")
    )
    part.add_argument(
        "--max-tokens",
        metavar="N",
        type=terminal.parse_positive,
        default=MOST_TOKENS,
        help=tr("longest continuation, in tokens; default: {default}", default=MOST_TOKENS),
    )
    part.add_argument(
        "--n",
        metavar="K",
        type=_parse_count,
        default=1,
        help=tr("number of continuations; default: {default}", default=1),
    )
    terminal.add_sampling(part)
    terminal.add_model_option(part)
    terminal.add_json(part, run_complete)


def run_complete(options: argparse.Namespace) -> int:
    """Run `complete`: print a continuation as it streams; several are printed when all are complete."""
    # Not stripped, other than a chat's question: a continuation depends on how the text ends.
    prompt = options.prompt if options.prompt is not None or sys.stdin.isatty() else sys.stdin.read()
    if not prompt:
        print(tr("No text to continue. Use -p TEXT."), file=sys.stderr)
        return 2
    paths = AppPaths.from_environment()
    settings = terminal.stored_settings()
    asked = terminal.pick_fields(options, "temperature", "seed")
    given = {name: value for name, value in asked.items() if value is not None}
    ask = Ask(
        (),
        max_tokens=options.max_tokens,
        sampling=replace(sampling_of(None, settings), **given),
        # Temperature 0 has to win over what models recommend for tasks.
        task_sampling=GREEDY if options.temperature == 0 else Sampling(),
        text=clean_text(prompt),
        suffix=clean_text(options.suffix),
        # A small model that runs in a circle would go on to the limit.
        stop_on_repetition=True,
    )
    with closing(build_engine(paths)) as engine, terminal.interruptible_token() as cancel:
        model = terminal.load_chosen(engine, options.model, settings, cancel)
        # Several are written in turns, so they can only be printed when they are whole.
        found = _write_continuations(engine, ask, options.n, cancel, live=options.n == 1 and not options.json)
    if options.json:
        completions = [_continuation_fields(continuation) for continuation in found]
        terminal.print_json({"prompt": prompt, "completions": completions, "model": Path(model.path).name})
    elif options.n > 1:
        print(f"\n{'─' * 20}\n".join(continuation.text for continuation in found))
    else:
        print()
    if any(continuation.finish_reason is FinishReason.REPEATED for continuation in found):
        print(tr("The text repeated itself and was stopped."), file=sys.stderr)
    stopped = any(continuation.finish_reason is FinishReason.CANCELLED for continuation in found)
    return terminal.INTERRUPTED if stopped else 0


def _write_continuations(
    engine: Engine, ask: Ask, count: int, cancel: CancelToken, *, live: bool
) -> list[Continuation]:
    # Those which interruption kept from beginning are told as cancelled.
    found = [Continuation(finish_reason=FinishReason.CANCELLED) for _ in range(count)]
    shown = 0
    for index, continuation in continue_text(engine, ask, count, cancel=cancel):
        found[index] = continuation
        if live:
            # Events carry the whole text so far.
            sys.stdout.write(continuation.text[shown:])
            sys.stdout.flush()
            shown = len(continuation.text)
    return found


def _continuation_fields(continuation: Continuation) -> dict[str, object]:
    return {
        "text": continuation.text,
        "tokens": len(continuation.tokens),
        "finish_reason": continuation.finish_reason,
        "logprob": round(continuation.log_probability, 6),
    }


def _parse_count(text: str) -> int:
    value = terminal.parse_positive(text)
    if value > MOST_AT_ONCE:
        raise argparse.ArgumentTypeError(tr("must be at most {most}", most=MOST_AT_ONCE))
    return value
