"""`evaluate` in the terminal: how well a model summarizes documents for which good summaries exist; translations."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from app import cli_evaluate_translations
from app.bootstrap import build_engine
from app.core.paths import AppPaths
from app.core.settings import load_settings
from app.features.evaluate_summaries import MEASURES, Evaluation, Scored, evaluate
from app.features.evaluation_data import Example, Skipped, examples_in
from app.features.summary.result import Form, Length, Wish
from app.terminal import (
    INTERRUPTED,
    SUMMARY_MODEL_HELP,
    ProgressLine,
    interruptible,
    load_model,
    model_path,
    positive,
    print_json,
)

_NAMES = dict(zip(MEASURES, ("ROUGE-1", "ROUGE-2", "ROUGE-Lsum"), strict=True))
_DATA = 'a line for each document: {"document": …, "summary": …}, a text or a list of texts each'


def add_commands(parser: argparse.ArgumentParser) -> None:
    """What `evaluate` can do."""
    parts = parser.add_subparsers(required=True, metavar="WHAT")
    part = parts.add_parser("summarize", help="summaries beside good ones (ROUGE), and beside their documents")
    part.add_argument("--data", metavar="FILE.jsonl", type=Path, required=True, help=_DATA)
    part.add_argument("--model", metavar="FILE", type=Path, help=SUMMARY_MODEL_HELP)
    part.add_argument("--limit", metavar="N", type=positive, help="only the first N documents")
    lengths = [length.value for length in Length]
    part.add_argument("--length", choices=lengths, default="short", help="default: short")
    part.add_argument("--json", action="store_true", help="one JSON object on standard output")
    part.set_defaults(run=run_evaluate)
    cli_evaluate_translations.add_arguments(
        parts.add_parser("translate", help="a translation beside a good one (chrF), and beside the source as it is")
    )


def run_evaluate(options: argparse.Namespace) -> int:
    """`evaluate summarize`: a line for each document on standard error; interrupted, figures of those that are done."""
    places = AppPaths.from_environment()
    settings, _ = load_settings(places.settings)
    result, wish = Evaluation(), Wish(Length(options.length), Form.PARAGRAPHS)
    data = options.data.expanduser().absolute()
    examples = list(islice(_good(examples_in(data), result), options.limit))
    if not examples:
        print(f"{data.name} has no documents with summaries.", file=sys.stderr)
        return 1
    path = model_path(options.model, settings.models.summarize_path, settings.engine.model_path)
    with interruptible() as cancel, closing(build_engine(places)) as engine:
        print(f"Loading {path.name}", file=sys.stderr)
        model = load_model(engine, path, settings, cancel)
        line = ProgressLine()
        for event in evaluate(examples, wish, engine, cancel):
            _take(event, result, len(examples), line)
        line.end()
    if not result.scored:
        return INTERRUPTED if cancel.cancelled else 1
    machine = {"cores": os.cpu_count(), "threads": model.threads, "device": model.device, "system": platform.platform()}
    body = {"model": path.name, "length": wish.length.value} | result.to_fields() | {"machine": machine}
    if options.json:
        print_json(body)
    else:
        _print_figures(body)
    return INTERRUPTED if cancel.cancelled else 0


def _good(examples: Iterable[Example | Skipped], result: Evaluation) -> Iterator[Example]:
    """The documents; lines that are none are told at once and kept as errors."""
    for one in examples:
        if isinstance(one, Skipped):
            _skip(one, result)
        else:
            yield one


def _skip(skipped: Skipped, result: Evaluation) -> None:
    result.skipped.append(skipped)
    print(f"Line {skipped.line:,} was left out: {skipped.reason}", file=sys.stderr)


def _take(event: Scored | Skipped | None, result: Evaluation, total: int, line: ProgressLine) -> None:
    number = len(result.scored) + 1
    if event is None:
        line.show(f"Document {number:,} of {total:,}")
        return
    line.end()
    if isinstance(event, Skipped):
        _skip(event, result)
        return
    result.scored.append(event)
    print(
        f"{event.example.id}: ROUGE-1 {event.rouge['rouge1']:.3f}, of the first sentences {event.lead['rouge1']:.3f}; "
        f"{event.claims_found:,} of {event.claims:,} claims found; {event.seconds:.1f} s",
        file=sys.stderr,
    )


def _print_figures(body: dict[str, Any]) -> None:
    machine = body["machine"]
    print(f"{body['model']}, {body['documents']:,} documents, {machine['cores']} cores, {machine['device']}")
    print(f"{'F1':<12}{'summary':>10}{'lead-3':>10}")
    for measure, name in _NAMES.items():
        print(f"{name:<12}{body['rouge'][measure]:>10.4f}{body['lead3'][measure]:>10.4f}")
    print(f"Claims found: {_share(body['claims_found'])} of {body['claims']:,}")
    print(f"Numbers right: {_share(body['numbers_right'])} of {body['numbers']:,}")
    print(f"Coverage: {_share(body['coverage'])}")
    print(f"Compression: {_share(body['compression'])} of the words")
    print(f"Time: {body['seconds']:.1f} s, {body['seconds_per_document']:.1f} s a document")
    if body["errors"]:
        print(f"Left out: {len(body['errors']):,}")


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.1%}"
