"""`evaluate` in the terminal: how well a model summarizes or translates where good summaries and translations exist."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import Any

from app.cli import terminal
from app.cli.translate import add_translation, language_code, warn_of_languages
from app.core.catalogue import CountedTexts, Translatable, tr, tr_count
from app.core.counted_units import count_units
from app.core.events import CancelToken
from app.core.joined_texts import join_entries
from app.core.paths import AppPaths
from app.features.models.model_engines import build_engine
from app.features.summarize.evaluate_summaries import (
    AS_GIVEN,
    COMPARED_MEASURES,
    FIRST_SENTENCES,
    WITHOUT_ABSTRACT,
    Evaluation,
    EvaluationExample,
    ScoredDocument,
    SkippedLine,
    examples_in,
)
from app.features.summarize.evaluate_summaries import evaluate_examples as evaluate_summaries
from app.features.summarize.summary_result import Form, Length, Method, SummaryOptions
from app.features.translate.evaluate_translations import (
    AlignedSegments,
    TranslationEvaluation,
    aligned_lines,
    aligned_segments,
)
from app.features.translate.evaluate_translations import evaluate_translation as evaluate_translations
from app.features.translate.translation_events import SegmentDone, TranslationWish
from app.features.translate.translation_jobs import TranslationJobs, build_translations
from app.store.database import Database
from app.store.translation_store import opened_memory

NO_SUMMARIES = "{name} has no documents with summaries."
SKIPPED = "Skipped line {line:,}: {reason}"
_NAMES: dict[str, Translatable] = {
    FIRST_SENTENCES: "first sentences",
    Method.DIGEST.value: "digest",
    Method.MODEL.value: "model",
}
_PARTS: dict[str, CountedTexts] = {
    AS_GIVEN: ("F1, {count} document as it is:", "F1, {count} documents as they are:"),
    WITHOUT_ABSTRACT: ("F1, {count} document without an abstract:", "F1, {count} documents without an abstract:"),
}
_METHODS = (Method.DIGEST, Method.MODEL)
_DATA = 'one line per document: {"document": …, "summary": …}, each a text or a list of texts'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parts = parser.add_subparsers(required=True, metavar="WHAT")
    part = parts.add_parser(
        "summarize", help=tr("compare summaries with reference summaries (ROUGE) and with their documents")
    )
    part.add_argument("--data", metavar="FILE.jsonl", type=Path, required=True, help=tr(_DATA))
    terminal.add_model_option(part, terminal.MODEL_OF_SUMMARIES)
    part.add_argument("--limit", metavar="N", type=terminal.parse_positive, help=tr("only the first N documents"))
    lengths = [length.value for length in Length]
    part.add_argument("--length", choices=lengths, default="short", help=tr("length of the summaries; default: short"))
    part.add_argument(
        "--method",
        choices=[method.value for method in _METHODS],
        action="append",
        help=tr("what to compare with the first sentences; can be given twice (default: both); digest needs no model"),
    )
    terminal.add_json(part, run_summaries)
    _add_translate(
        parts.add_parser("translate", help=tr("compare a translation with a reference (chrF) and with the source"))
    )


def run_summaries(options: argparse.Namespace) -> int:
    """`evaluate summarize`: a line for each document on standard error; interrupted, figures of those that are done."""
    places = AppPaths.from_environment()
    settings = terminal.stored_settings()
    result, wish = Evaluation(), SummaryOptions(Length(options.length), Form.PARAGRAPHS)
    data = options.data.expanduser().absolute()
    # Read before the model is loaded: a damaged file is told at once.
    examples = list(islice(_valid_examples(examples_in(data), result), options.limit))
    if not examples:
        print(tr(NO_SUMMARIES, name=data.name), file=sys.stderr)
        return 1
    methods = [method for method in _METHODS if method in (options.method or _METHODS)]
    # Results of different computers are only to be compared with this beside them.
    name, machine = "", {"cores": os.cpu_count(), "threads": None, "device": ""}
    with terminal.interruptible_token() as cancel, ExitStack() as opened:
        engine = None
        if Method.MODEL in methods:
            path = terminal.model_path(options.model, settings.models.summarize_path, settings.engine.model_path)
            engine = opened.enter_context(closing(build_engine(places)))
            # On standard error, which progress shares; the figures alone go to standard output.
            print(tr("Loading {name}", name=path.name), file=sys.stderr)
            model = terminal.load_model(engine, path, settings, cancel)
            name, machine = path.name, machine | {"threads": model.threads, "device": model.device}
        line = terminal.TerminalProgress()
        for event in evaluate_summaries(examples, wish, methods, engine, cancel):
            _take_event(event, result, len(examples), line)
        line.end()
    # Interrupted before the first one: there are no figures.
    if not result.scored:
        return terminal.INTERRUPTED if cancel.cancelled else 1
    machine["system"] = platform.platform()
    body = {"model": name, "length": wish.length.value} | result.to_fields() | {"machine": machine}
    if options.json:
        terminal.print_json(body)
    else:
        _print_summary_figures(body)
    return terminal.INTERRUPTED if cancel.cancelled else 0


def _valid_examples(
    examples: Iterable[EvaluationExample | SkippedLine], result: Evaluation
) -> Iterator[EvaluationExample]:
    """Yield the valid examples; invalid lines are reported at once and recorded as errors."""
    for example in examples:
        if isinstance(example, SkippedLine):
            _report_skipped(example, result)
        else:
            yield example


def _report_skipped(skipped: SkippedLine, result: Evaluation) -> None:
    result.skipped.append(skipped)
    print(tr(SKIPPED, line=skipped.line, reason=skipped.reason), file=sys.stderr)


def _take_event(
    event: ScoredDocument | SkippedLine | None, result: Evaluation, total: int, line: terminal.TerminalProgress
) -> None:
    number = len(result.scored) + 1
    if event is None:
        line.show(tr("Document {number:,} of {total:,}", number=number, total=total))
        return
    line.end()
    if isinstance(event, SkippedLine):
        _report_skipped(event, result)
        return
    result.scored.append(event)
    each = join_entries(f"{tr(_NAMES[name])} {rouge['rouge1']:.3f}" for name, rouge in event.compared[AS_GIVEN].items())
    print(
        tr(
            "{id}: ROUGE-1 of {each}; claims found: {found:,} of {claims:,}; {seconds:.1f} s",
            id=event.example.id,
            each=each,
            found=event.claims_found,
            claims=event.claims,
            seconds=event.seconds,
        ),
        file=sys.stderr,
    )


def _print_summary_figures(body: dict[str, Any]) -> None:
    machine = body["machine"]
    cores = tr("CPU cores: {cores}", cores=machine["cores"])
    facts = (body["model"], count_units("document", body["documents"]), cores, machine["device"])
    print(join_entries(fact for fact in facts if fact))
    for part, texts in _PARTS.items():
        compared = body["compared"][part]
        # Only documents with a section named like an abstract have figures without it.
        if not compared["documents"]:
            continue
        print(tr_count(*texts, compared["documents"]))
        print(f"{'':<16}" + "".join(f"{measure.replace('rouge', 'ROUGE-'):>10}" for measure in COMPARED_MEASURES))
        for name, label in _NAMES.items():
            if name in compared:
                print(f"{tr(label):<16}" + "".join(f"{compared[name][text]:>10.4f}" for text in COMPARED_MEASURES))
    print(tr("Claims found: {share} of {claims:,}", share=_format_share(body["claims_found"]), claims=body["claims"]))
    print(
        tr("Numbers right: {share} of {numbers:,}", share=_format_share(body["numbers_right"]), numbers=body["numbers"])
    )
    print(tr("Coverage: {share}", share=_format_share(body["coverage"])))
    print(tr("Compression: {share} of the words", share=_format_share(body["compression"])))
    print(
        tr(
            "Time: {seconds:.1f} s, {each:.1f} s per document",
            seconds=body["seconds"],
            each=body["seconds_per_document"],
        )
    )
    if body["errors"]:
        print(tr("Skipped: {count:,}", count=len(body["errors"])))


def _format_share(value: float | None) -> str:
    return tr("none") if value is None else f"{value:.1%}"


_TEXTS = (".txt", "")


def _add_translate(part: argparse.ArgumentParser) -> None:
    part.add_argument(
        "--source",
        metavar="FILE",
        type=Path,
        required=True,
        help=tr("a text file, compared line by line (.txt), or a document"),
    )
    part.add_argument(
        "--reference",
        metavar="FILE",
        type=Path,
        required=True,
        help=tr("a reference translation with the same lines or the same structure"),
    )
    part.add_argument(
        "--to", metavar="xx", required=True, type=language_code, help=tr("target language, such as pt-BR")
    )
    part.add_argument(
        "--from",
        metavar="yy",
        dest="from_",
        default="",
        type=language_code,
        help=tr("source language; default: detected"),
    )
    terminal.add_model_option(part, terminal.MODEL_OF_TRANSLATIONS)
    terminal.add_json(part, run_translations)


def run_translations(options: argparse.Namespace) -> int:
    """Run `evaluate translate`. Interrupted, the figures cover what is done. No memory is read or written."""
    places = AppPaths.from_environment()
    settings = terminal.stored_settings()

    # Asked for twice: by the jobs, and here for its name. Nothing is loaded by it.
    def chosen() -> Path:
        return terminal.model_path(options.model, settings.models.translate_path, settings.engine.model_path)

    with (
        terminal.interruptible_token() as cancel,
        closing(build_engine(places)) as engine,
        closing(Database.in_memory()) as database,
        # A memory would give back the reference that somebody confirmed before: the figures would be of it.
        opened_memory(None) as opened,
    ):
        translations = build_translations(places, settings, database, opened.memory, engine=engine, model=chosen)
        found = _align_segments(options, translations, cancel)
        if found is None:
            return terminal.INTERRUPTED
        aligned, source = found
        path = chosen()
        result, wish = TranslationEvaluation(aligned, source), TranslationWish(options.to, source)
        warn_of_languages(path, source, options.to)
        print(tr("Loading {name}", name=path.name), file=sys.stderr)
        model = terminal.load_model(engine, path, settings, cancel)
        memory = translations.words.memory_for(wish, source, path)
        line = terminal.TerminalProgress()
        for event in evaluate_translations(result, wish, engine, memory, cancel):
            if isinstance(event, SegmentDone):
                line.show(tr("Translating"), tr("{done:,} of {segments:,}", done=event.done, segments=event.segments))
        line.end()
        # Without one segment done, chrF would be that of nothing.
        if not result.done:
            return terminal.INTERRUPTED
        machine = {"cores": os.cpu_count(), "threads": model.threads, "device": model.device}
        machine["system"] = platform.platform()
        body = {"model": path.name, "source_language": result.source_language, "target_language": options.to}
        body |= result.to_fields() | {"machine": machine}
        if options.json:
            terminal.print_json(body)
        else:
            _print_translation_figures(body)
        return terminal.INTERRUPTED if cancel.cancelled else 0


def _align_segments(
    options: argparse.Namespace, translations: TranslationJobs, cancel: CancelToken
) -> tuple[AlignedSegments, str] | None:
    """Return the segments with their references, and the source's language; None when cancelled."""
    source, reference = (path.expanduser().absolute() for path in (options.source, options.reference))
    # Lines are matched by their number, without the document child.
    if source.suffix.lower() in _TEXTS and reference.suffix.lower() in _TEXTS:
        return aligned_lines(source, reference), options.from_
    wish = TranslationWish(options.to, options.from_)
    # Both are read as documents to be translated, so their segments fall alike.
    given, wanted = (add_translation(translations, path, wish, "", cancel) for path in (source, reference))
    if given is None or wanted is None:
        return None
    segments, references = (
        [row.segment for row in translations.segments.read_rows(stored_translation.id)]
        for stored_translation in (given, wanted)
    )
    contents = [segment.content for segment in references]
    return aligned_segments(source, segments, reference, contents), given.source_language


def _print_translation_figures(body: dict[str, Any]) -> None:
    machine = body["machine"]
    print(
        tr(
            "{model}, {source} to {target}, CPU cores: {cores}, {device}",
            model=body["model"],
            source=body["source_language"] or "?",
            target=body["target_language"],
            cores=machine["cores"],
            device=machine["device"],
        )
    )
    print(tr("Segments: {translated:,} of {segments:,}", translated=body["translated"], segments=body["segments"]))
    print(tr("chrF of the translation: {chrf:.2f}", chrf=body["chrf"]))
    print(tr("chrF of the untranslated source: {chrf:.2f}", chrf=body["chrf_of_source"]))
    print(
        tr(
            "Flagged: {flagged:,}; not translated: {untranslated:,}",
            flagged=body["flagged"],
            untranslated=body["untranslated"],
        )
    )
    print(
        tr(
            "Time: {seconds:.1f} s, {speed:.2f} segments per second",
            seconds=body["seconds"],
            speed=body["segments_per_second"],
        )
    )
