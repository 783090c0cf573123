"""`summarize FILE…` in the terminal: the text with its pages, one JSON object, or a file."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path

from app.cli import terminal
from app.cli.input_files import InputFiles, files_of
from app.core.catalogue import tr, tr_count
from app.core.errors.app_error import AppError
from app.core.events import CancelToken
from app.core.joined_texts import join_entries
from app.core.paths import AppPaths
from app.features.claim_checker.checker import ClaimChecker, chosen_checker
from app.features.claim_checker.conversion import open_checker
from app.features.document_library import build_documents
from app.features.models.model_engines import build_engine, build_pool
from app.features.models.model_languages import weights_in
from app.features.summarize.digest import FORMS, sufficient_digest
from app.features.summarize.export import ENDINGS, as_text, report_fields, save_file
from app.features.summarize.laid_out import summary_facts
from app.features.summarize.method import is_short, method_for
from app.features.summarize.summaries import TASK, SummaryJobs
from app.features.summarize.summarize import Merging, Planned, SectionRead, SummaryEvent, TaskRests, Writing
from app.features.summarize.summary_messages import not_given_words, not_made_words, nothing_words
from app.features.summarize.summary_result import (
    ClaimsChecked,
    Form,
    InputDocument,
    Length,
    Method,
    Summary,
    SummaryOptions,
    inputs_of,
    unknown_languages,
)
from app.features.work.task_engines import TaskEngines
from app.store.database import Database

NO_PDF = "Only the window can save a PDF. Use {endings}."
IS_INPUT = "{name} is one of the files to summarize. Choose another name."
OWN_NEEDS_INSTRUCTION = "Use --form own and --instruction TEXT together."
USE_MODEL = "Use --method model to have {model} write it anyway."
SECTION = "Section {number:,} of {count:,}"
WRITING, WRITING_AGAIN = "Writing, {share:.0%}", "Writing again, {share:.0%}"
MODEL_WROTE = "{model} wrote:"
# Only its form is checked: a model may know a language that no list of ours has.
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        metavar="FILE",
        type=Path,
        nargs="+",
        help=tr("documents or folders; several documents get one summary"),
    )
    lengths = [length.value for length in Length]
    parser.add_argument(
        "--length", choices=lengths, default="medium", help=tr("length of the summary; default: medium")
    )
    parser.add_argument(
        "--form", choices=[form.value for form in Form], help=tr("form of the summary; default: bullets")
    )
    parser.add_argument(
        "--method",
        choices=["auto", *Method],
        default="auto",
        help=tr(
            "model: written by the model; digest: key sentences, without a model; auto (default): "
            "digest if the model is too small or unreliable"
        ),
    )
    parser.add_argument(
        "--instruction", metavar="TEXT", default="", help=tr("how to write the summary, in your own words")
    )
    parser.add_argument(
        "--language",
        metavar="xx",
        default="",
        type=_parse_language,
        help=tr("language of the summary; default: the document’s"),
    )
    terminal.add_model_option(parser, terminal.MODEL_OF_SUMMARIES)
    parser.add_argument(
        "--checker",
        metavar="PATH",
        type=Path,
        help=tr("a ModernBERT token classifier such as TinyLettuce (file or folder) that marks unsupported parts"),
    )
    terminal.add_password(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        type=Path,
        help=tr("file to write; the extension sets the format: {endings}", endings=join_entries(ENDINGS)),
    )
    terminal.add_json(parser, run_summarize)


def _parse_language(text: str) -> str:
    """Parse a language code; "" is the document's own."""
    if text and not _LANGUAGE.fullmatch(text):
        raise argparse.ArgumentTypeError(tr("must be a code such as de"))
    return text


def run_summarize(options: argparse.Namespace) -> int:
    """`summarize`: what is there when it is interrupted is printed, and the exit code is 130."""
    # A folder expands to its documents, so it is read before options are checked against them.
    files = files_of(options.files)
    wrong = _wrong_usage(options, [path for _, path in files])
    if wrong:
        print(wrong, file=sys.stderr)
        # argparse's code for wrong usage.
        return 2
    places = AppPaths.from_environment()
    settings = terminal.stored_settings()
    if options.checker is not None:
        # Opened before anything is read: a wrong path is told at once.
        checker = open_checker(options.checker.expanduser().absolute())
        settings = settings.changed("models", checker_path=str(checker))
    # Jobs, documents and summary live in memory: another run begins anew.
    with terminal.interruptible_token() as cancel, closing(Database.in_memory()) as database:
        inputs = _SummaryInputs(build_documents(places, database), options.password, cancel)
        inputs.read_all(files)
        if cancel.cancelled:
            return terminal.INTERRUPTED
        if not inputs.documents:
            return 1
        wish, chosen = _summary_options(options), (settings.models.summarize_path, settings.engine.model_path)
        if wish.method is Method.DIGEST:
            return _print_digest(inputs, options, cancel) or 0
        model = terminal.model_path(options.model, *chosen)
        # A small model says less of a long text than its own sentences do; measured, see `Method`.
        if method_for(wish, weights_in(model), is_short=is_short(inputs.given)) is Method.DIGEST:
            code = _print_digest(inputs, options, cancel, model)
            # None: a digest says too little of these documents.
            if code is not None:
                return code
        with closing(build_engine(places)) as engine:
            print(tr("Loading {name}", name=model.name), file=sys.stderr)
            terminal.load_model(engine, model, settings, cancel)
            _warn_of_languages(model, inputs.given, wish)
            pool = build_pool(engine, lambda: model, lambda: settings, lambda: build_engine(places))
            summaries = SummaryJobs(
                database,
                inputs.kept,
                TaskEngines(TASK, pool, lambda: None),
                lambda: settings,
                check=ClaimChecker(lambda: chosen_checker(settings), pool).check_summary,
            )
            # Kept over the engine's end: what is there is printed before the error is told.
            summary, problem = _make_summary(inputs, wish, summaries, cancel)
    if summary is not None:
        _print_summary(summary, inputs, options)
    # After the output, so that its one sentence stands last.
    if problem is not None:
        raise problem
    return terminal.INTERRUPTED if summary is None or (summary.is_partial and cancel.cancelled) else 0


class _SummaryInputs(InputFiles):
    """The input files with all their text."""

    # Needed for the method, the digest and the model; read from the store once.
    @cached_property
    def given(self) -> list[InputDocument]:
        return inputs_of(self.kept, [document.id for document in self.documents])


def _print_digest(
    inputs: _SummaryInputs, options: argparse.Namespace, cancel: CancelToken, model: Path | None = None
) -> int | None:
    """Print an extract if it will do and return the exit code; None if the model is needed after all."""
    digest = sufficient_digest(inputs.given, _summary_options(options), lambda: cancel.cancelled)
    if digest is None:
        return None
    _print_summary(digest, inputs, options)
    if model is not None and not_given_words(digest):
        print(tr(USE_MODEL, model=model.name), file=sys.stderr)
    return terminal.INTERRUPTED if cancel.cancelled else 0


def _wrong_usage(options: argparse.Namespace, paths: Sequence[Path]) -> str:
    """Return a message about options that don't go together, or an unwritable place; "" if all is well."""
    # Both would otherwise be ignored without a word.
    if (_summary_options(options).form is Form.OWN) != bool(options.instruction):
        return tr(OWN_NEEDS_INSTRUCTION)
    if options.method == Method.DIGEST and (_summary_options(options).form not in FORMS or options.language):
        return tr(
            "--method digest copies sentences: --form can be {forms}, and --language can’t be used.",
            forms=join_entries(FORMS),
        )
    if options.output is None:
        return ""
    out: Path = options.output.expanduser().absolute()
    endings = join_entries(ENDINGS)
    wrong = {
        # First, since the ending of a PDF is no mistake to whoever knows the window.
        tr(NO_PDF, endings=endings): out.suffix.lower() == ".pdf",
        tr(terminal.MUST_END_IN, name=out.name, endings=endings): out.suffix.lower() not in ENDINGS,
        tr(terminal.NO_FOLDER, path=out.parent): not out.parent.is_dir(),
        # The file would be overwritten by its own summary.
        tr(IS_INPUT, name=out.name): out.resolve() in [path.resolve() for path in paths],
        # By their real places: a link to one of them is that file, too.
    }
    return next((sentence for sentence, is_so in wrong.items() if is_so), "")


def _warn_of_languages(model: Path, documents: Sequence[InputDocument], wish: SummaryOptions) -> None:
    """Warn if the model wasn't trained for a language."""
    codes = unknown_languages(model, documents, wish)
    if codes:
        print(not_made_words(model.name, codes), file=sys.stderr)


def _summary_options(options: argparse.Namespace) -> SummaryOptions:
    form = Form(options.form or (Form.OWN if options.instruction else Form.BULLETS))
    method = Method(options.method) if options.method in list(Method) else None
    return SummaryOptions(Length(options.length), form, options.language, options.instruction, method)


def _make_summary(
    inputs: _SummaryInputs, wish: SummaryOptions, summaries: SummaryJobs, cancel: CancelToken
) -> tuple[Summary | None, AppError | None]:
    """Return the summary, partial if cancelled or after a fatal engine error;

    None if there is nothing yet. Also return the engine's error.
    """
    # Several become one summary over all, here always.
    (begun,) = summaries.begin_summaries([input_document.id for input_document in inputs.given], wish, together=True)
    progress = _Progress(lambda: summaries.seconds_left(begun.id))
    try:
        for worked in summaries.run(cancel):
            if worked.event is not None:
                progress.take_event(worked.event)
    finally:
        progress.end()
    summaries.rename(begun.id, join_entries(document.title or document.name for document in inputs.given))
    ended, summary = summaries.get(begun.id), summaries.load_summary(begun.id)
    problem = ended.error if ended is not None else None
    # Without a statement it is only worth telling if that is the result: not after an error or Ctrl+C.
    is_worth_telling = summary is not None and (summary.statements or not (problem or cancel.cancelled))
    return (summary if is_worth_telling else None), problem


class _Progress:
    """Section k of n and the time left, on standard error."""

    def __init__(self, seconds_left: Callable[[], float | None]) -> None:
        # The jobs estimate the time left from what they measured; None before that.
        self._line, self._seconds_left, self._beginning = terminal.TerminalProgress(), seconds_left, ""

    def take_event(self, event: SummaryEvent) -> None:
        """Update the progress line with an event of the pipeline."""
        match event:
            case Planned():
                self._beginning = tr(SECTION, number=1, count=event.sections)
            case SectionRead() if event.done < event.sections:
                self._beginning = tr(SECTION, number=event.done + 1, count=event.sections)
            case Merging():
                self._beginning = tr_count(
                    "Combining {count} group of sections", "Combining {count} groups of sections", event.merges
                )
            case ClaimsChecked():
                self._beginning = tr(
                    "Checking statement {number:,} of {count:,}", number=event.done + 1, count=event.claims
                )
            case Writing():
                self._beginning = tr(WRITING_AGAIN if event.attempt else WRITING, share=event.share)
            case TaskRests() if event.reason:
                self._line.show(tr("Waiting for the engine"))
                return
        # Before the plan is known there is nothing to say.
        if self._beginning:
            self._line.show(self._beginning, terminal.left_words(self._seconds_left()))

    def end(self) -> None:
        """Finish the line before others print."""
        self._line.end()


def _print_summary(summary: Summary, inputs: _SummaryInputs, options: argparse.Namespace) -> None:
    """Print text or JSON, or write the file; coverage and differences go to standard error."""
    is_on_output = not options.json and options.output is None
    # The printed text says itself that nothing was found.
    for fact in (*summary_facts(summary), *filter(None, [nothing_words(summary)] if not is_on_output else [])):
        print(fact, file=sys.stderr)
    # What was found wanting is shown, but never as the answer.
    if summary.set_aside and not options.json:
        print(
            "\n".join(
                (tr(MODEL_WROTE, model=summary.model), *(f"- {statement.text}" for statement in summary.set_aside))
            ),
            file=sys.stderr,
        )
    if options.json:
        terminal.print_json(report_fields(summary, inputs.errors))
    elif is_on_output:
        print(as_text(summary))
    if options.output is not None:
        out = options.output.expanduser().absolute()
        try:
            save_file(summary, out, inputs.paths, inputs.errors)
        except AppError:
            if not options.json:
                print(as_text(summary))  # it took its time: it is not lost with the disk's room
            raise
        print(tr(terminal.SAVED, path=options.output), file=sys.stderr)
