"""`tune` in the terminal: measure how a model runs fastest here, and keep that for later loads."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing

from app.cli import terminal
from app.core.catalogue import tr
from app.core.events import TuningProgress
from app.core.paths import AppPaths
from app.engine.tuning import ModelTuning, TuningTable
from app.features.models.model_engines import build_engine
from app.features.models.tuning_words import tuning_words

FORGOTTEN, NOTHING_TO_FORGET = "Forgot how {name} was tuned.", "{name} wasn’t tuned."
NOT_TUNED = "This model can’t be tuned: it writes no text, or memory is too short to measure it."


def add_arguments(tune: argparse.ArgumentParser) -> None:
    terminal.add_model_option(tune, terminal.LOCAL_MODEL)
    tune.add_argument("--forget", action="store_true", help=tr("go back to the defaults"))
    terminal.add_json(tune, run_tune)


def run_tune(options: argparse.Namespace) -> int:
    """`tune`: at most about 20 seconds, in the engine's child."""
    paths, settings = AppPaths.from_environment(), terminal.stored_settings()
    path = terminal.model_path(options.model, settings.engine.model_path)
    if options.forget:
        is_forgotten = TuningTable(paths.engine).forget_model(path)
        if options.json:
            terminal.print_json({"model": path.name, "forgotten": is_forgotten})
        else:
            print(tr(FORGOTTEN if is_forgotten else NOTHING_TO_FORGET, name=path.name))
        return 0
    found: ModelTuning | None = None
    with closing(build_engine(paths)) as engine, terminal.interruptible_token() as cancel:
        kv_type = terminal.load_model(engine, path, settings, cancel).kv_type
        with terminal.TerminalProgress() as progress:
            for event in engine.tune(cancel=cancel):
                if isinstance(event, TuningProgress):
                    progress.show(tr("Tuning"), f"{event.fraction:.0%}")
                else:
                    found = event
        if cancel.cancelled:
            raise KeyboardInterrupt
    if found is None:
        print(tr(NOT_TUNED), file=sys.stderr)
        return 1
    if options.json:
        terminal.print_json({"model": path.name, "kv_type": kv_type} | _json_fields(found))
    else:
        print(" ".join(map(str, tuning_words(found, found.day))))
    return 0


def _json_fields(found: ModelTuning) -> dict[str, object]:
    return {
        "llama_cpp": found.build,
        "device": found.device,
        "faster": found.is_faster,
        "answer_threads": found.answer_threads,
        "prompt_threads": found.prompt_threads,
        "batch_tokens": found.batch_tokens,
        "flash_attention": found.flash,
        "sequences": found.sequences,
        "answer_tokens_per_s": round(found.answer_speed, 2),
        "answer_default_tokens_per_s": round(found.answer_default_speed, 2),
        "prompt_tokens_per_s": round(found.prompt_speed, 2),
        "prompt_default_tokens_per_s": round(found.prompt_default_speed, 2),
        "flash_off_answers": round(found.flash_off_answers, 3),
        "flash_off_prompts": round(found.flash_off_prompts, 3),
        "on_processor": found.on_cpu,
        "processor_answers": round(found.cpu_answers, 3),
        "processor_prompts": round(found.cpu_prompts, 3),
        "seconds": round(found.seconds, 1),
        "day": found.day,
    }
