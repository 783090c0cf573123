"""`evaluate translate` in the terminal: how near a model's translation comes to a good one."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from app.bootstrap import build_engine
from app.cli_translation_inputs import Files, language_code, warn
from app.core.events import CancelToken
from app.core.paths import AppPaths
from app.core.settings import load_settings
from app.features.evaluate_translations import (
    Aligned,
    TranslationEvaluation,
    aligned_lines,
    aligned_segments,
    evaluate,
)
from app.features.translation.events import SegmentDone
from app.features.translation.families import PROMPT_VERSION
from app.features.translation.kept_memory import KeptMemory, model_key
from app.features.translation.result import TranslationWish
from app.store.memory import Pair, opened_memory
from app.terminal import (
    INTERRUPTED,
    TRANSLATION_MODEL_HELP,
    ProgressLine,
    interruptible,
    load_model,
    model_path,
    print_json,
)

_TEXTS = (".txt", "")


def add_arguments(part: argparse.ArgumentParser) -> None:
    """What `evaluate translate` takes."""
    part.add_argument(
        "--source", metavar="FILE", type=Path, required=True, help="a text (.txt) of lines, or a document"
    )
    good = "a good translation, line by line or of the same structure"
    part.add_argument("--reference", metavar="FILE", type=Path, required=True, help=good)
    part.add_argument("--to", metavar="xx", required=True, type=language_code, help="the language, such as pt-BR")
    part.add_argument("--from", metavar="yy", dest="from_", default="", type=language_code, help="default: found out")
    part.add_argument("--model", metavar="FILE", type=Path, help=TRANSLATION_MODEL_HELP)
    part.add_argument("--json", action="store_true", help="one JSON object on standard output")
    part.set_defaults(run=run_evaluate)


def run_evaluate(options: argparse.Namespace) -> int:
    """`evaluate translate`: interrupted, the figures are of what is done. No memory is used and none is kept."""
    places = AppPaths.from_environment()
    settings, _ = load_settings(places.settings)
    with interruptible() as cancel:
        found = _aligned(options, places, cancel)
        if found is None:
            return INTERRUPTED
        aligned, source = found
        path = model_path(options.model, settings.models.translate_path, settings.engine.model_path)
        result, wish = TranslationEvaluation(aligned, source), TranslationWish(options.to, source)
        with closing(build_engine(places)) as engine, opened_memory(None) as opened:
            warn(path, source, options.to)
            print(f"Loading {path.name}", file=sys.stderr)
            model = load_model(engine, path, settings, cancel)
            pair = Pair(source, options.to)
            memory = KeptMemory(opened.memory, wish, pair, model=model_key(path), prompt_version=PROMPT_VERSION)
            line = ProgressLine()
            for event in evaluate(result, wish, engine, memory, cancel):
                if isinstance(event, SegmentDone):
                    line.show("Translating", f"{event.done:,} of {event.segments:,}")
            line.end()
        if not result.done:
            return INTERRUPTED
        machine = {"cores": os.cpu_count(), "threads": model.threads, "device": model.device}
        machine["system"] = platform.platform()
        body = {"model": path.name, "source_language": result.source_language, "target_language": options.to}
        body |= result.to_fields() | {"machine": machine}
        if options.json:
            print_json(body)
        else:
            _print_figures(body)
        return INTERRUPTED if cancel.cancelled else 0


def _aligned(options: argparse.Namespace, places: AppPaths, cancel: CancelToken) -> tuple[Aligned, str] | None:
    """The segments with what they should come to, and the source's language; None where it was cancelled."""
    source, reference = (path.expanduser().absolute() for path in (options.source, options.reference))
    if source.suffix.lower() in _TEXTS and reference.suffix.lower() in _TEXTS:
        return aligned_lines(source, reference), options.from_
    files = Files(places.documents, "", cancel)
    given, wanted = files.read(source), files.read(reference)
    if given is None or wanted is None:
        return None
    contents = [segment.content for segment in wanted.segments]
    return aligned_segments(source, given.segments, reference, contents), options.from_ or given.language


def _print_figures(body: dict[str, Any]) -> None:
    machine = body["machine"]
    pair = f"{body['source_language'] or '?'} to {body['target_language']}"
    print(f"{body['model']}, {pair}, {machine['cores']} cores, {machine['device']}")
    print(f"Segments: {body['translated']:,} of {body['segments']:,}")
    print(f"chrF of the translation: {body['chrf']:.2f}")
    print(f"chrF of the source as it is: {body['chrf_of_source']:.2f}")
    print(f"Flagged: {body['flagged']:,}; left in the source's language: {body['untranslated']:,}")
    print(f"Time: {body['seconds']:.1f} s, {body['segments_per_second']:.2f} segments a second")
