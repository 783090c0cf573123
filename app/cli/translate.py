"""`translate FILE` in the terminal: the text, one JSON object, or the document in its own format."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from app.cli import terminal
from app.core.catalogue import tr, tr_count
from app.core.counted_units import count_units
from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentUnreadable
from app.core.events import CancelToken
from app.core.joined_texts import join_entries
from app.core.paths import AppPaths
from app.core.visible import clean_text
from app.features.document_messages import remark_sentence
from app.features.models.model_engines import build_engine
from app.features.models.model_languages import can_translate, known_languages
from app.features.translate.glossary import read_csv
from app.features.translate.marking import shown_text
from app.features.translate.problems import flag_words
from app.features.translate.saving import endings_of
from app.features.translate.translation_events import (
    Adding,
    Formality,
    Row,
    Saved,
    SegmentDone,
    StoredTranslation,
    TranslationAdded,
    TranslationEvent,
    TranslationPlanned,
    TranslationWish,
)
from app.features.translate.translation_jobs import TranslationJobs, build_translations
from app.features.work.asking import TaskRests
from app.language.language_names import base_code, english_name, find_language
from app.store.database import Database
from app.store.translation_store import OpenedMemory, opened_memory

# A long document may have hundreds; the first ones show what is wrong.
MOST_TOLD_FLAGS = 20
IS_SOURCE = "{name} is the document to translate. Choose another name."
ALREADY_IN = "{name} is already in {language}."
SET_LANGUAGE = "If that’s wrong, set its language with --from."
NOT_REUSABLE = "This translation won’t be saved for reuse because the data folder can’t be used."
NOT_TRANSLATED = "{open:,} of {count} segments weren’t translated."
TEXT_ONLY = "This is a new document with only the text, because the layout couldn’t be kept."
NOT_MADE_FOR = "{model} isn’t made for {languages}. The translation may be poor."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE|-", help=tr("a document, or - for text on standard input"))
    parser.add_argument(
        "--to", metavar="xx", required=True, type=language_code, help=tr("target language, such as pt-BR")
    )
    parser.add_argument(
        "--from",
        metavar="yy",
        dest="source",
        default="",
        type=language_code,
        help=tr("source language; default: detected"),
    )
    parser.add_argument(
        "--glossary", metavar="FILE", type=Path, help=tr("a CSV file with a term and its translation on each line")
    )
    formalities = [formality.value for formality in Formality if formality.value]
    parser.add_argument("--formality", choices=formalities, default="", help=tr("formal or informal address"))
    terminal.add_model_option(parser, terminal.MODEL_OF_TRANSLATIONS)
    terminal.add_password(parser)
    parser.add_argument(
        "-o", "--output", metavar="OUT", type=Path, help=tr("file to write, in the document’s own format")
    )
    terminal.add_json(parser, run_translate)


def run_translate(options: argparse.Namespace) -> int:
    """Run `translate`.

    Interrupted, it writes what is there and exits with 130. The next run resumes, as finished segments are in the
    memory.
    """
    places = AppPaths.from_environment()
    settings = terminal.stored_settings()
    # Before a document is read: a wrong glossary is told at once.
    terms = read_csv(options.glossary) if options.glossary is not None else ()
    wish = TranslationWish(options.to, options.source, Formality(options.formality), glossary=terms)

    def model() -> Path:
        return terminal.model_path(options.model, settings.models.translate_path, settings.engine.model_path)

    with (
        terminal.interruptible_token() as cancel,
        closing(build_engine(places)) as engine,
        # Only what was confirmed and translated is kept, in the memory; the document is not.
        closing(Database.in_memory()) as database,
        opened_memory(places.database) as opened,
    ):
        translations = build_translations(places, settings, database, opened.memory, engine=engine, model=model)
        given = _given_translation(options, wish, translations, cancel)
        if given is None:
            return terminal.INTERRUPTED
        # The endings are known only when the document is: each format is written in itself.
        wrong, same = _wrong_output(options, endings_of(given)), _same_language(options, given)
        if wrong or (same and options.source):
            print(wrong or same, file=sys.stderr)
            return 2
        if same:  # it was only found so, which may be wrong in a short text
            print(same, file=sys.stderr)
        # Asked when needed: nothing is wrong with the document where no model is chosen.
        path = model()
        _tell_memory(opened)
        print(tr("Loading {name}", name=path.name), file=sys.stderr)
        terminal.load_model(engine, path, settings, cancel)
        warn_of_languages(path, given.source_language, given.wish.target)
        seconds = _translate_all(translations, given.id, cancel)
        _print_translation(translations, given.id, options, {"seconds": round(seconds, 3), "model": path.name})
    # The next run resumes, since finished segments are in the memory.
    return terminal.INTERRUPTED if cancel.cancelled else 0


def _given_translation(
    options: argparse.Namespace, wish: TranslationWish, translations: TranslationJobs, cancel: CancelToken
) -> StoredTranslation | None:
    if options.file != "-":
        return add_translation(translations, Path(options.file), wish, options.password, cancel)
    stored = translations.add_text(clean_text(sys.stdin.read()), wish)
    if not stored.segments:
        raise DocumentUnreadable(tr("standard input"), "no_text")
    return stored


def add_translation(
    translations: TranslationJobs, path: Path, wish: TranslationWish, password: str, cancel: CancelToken
) -> StoredTranslation | None:
    """Add a file and read its segments;

    None when cancelled. Raises the child's errors. Asks for a password if the file needs one and `password` is "".
    """
    path = path.expanduser().absolute()

    # Again from the beginning with each password that is tried.
    def read(given: str) -> StoredTranslation | None:
        with terminal.TerminalProgress() as line:
            line.show(tr("Reading {name}", name=path.name))
            for event in translations.add(path, wish, cancel, password=given):
                if isinstance(event, TranslationAdded):
                    return event.translation
                count = event.segments if isinstance(event, Adding) else 0
                line.show(tr("Reading {name}", name=path.name), f"({count_units('segment', count)})" if count else "")
        return None

    stored = terminal.read_unlocked(password, read)
    for remark in stored.remarks if stored is not None else ():
        print(f"{path.name}: {remark_sentence(remark)}", file=sys.stderr)
    return stored


def _translate_all(translations: TranslationJobs, id_: int, cancel: CancelToken) -> float:
    """Translate everything, or as much as there is time for until cancelled; return the seconds.

    Raises the engine's final error.
    """
    begun_s = time.monotonic()
    translations.begin_translations([id_])
    with terminal.TerminalProgress() as line:
        for worked in translations.run(cancel):
            if worked.event is not None:
                _show_progress(worked.event, translations.seconds_left(id_), line)
    ended = translations.get(id_)
    if ended is not None and ended.error is not None:
        raise ended.error
    return time.monotonic() - begun_s


def _show_progress(event: TranslationEvent, left_s: float | None, line: terminal.TerminalProgress) -> None:
    """Segment k of n and the time left, on standard error."""
    if isinstance(event, TranslationPlanned):
        known = tr("{count:,} known", count=event.known) if event.known else ""
        line.show(join_entries(filter(None, (count_units("segment", event.segments), known))))
    elif isinstance(event, TaskRests) and event.reason:
        line.show(tr("Waiting for the engine"))
    elif isinstance(event, SegmentDone):
        # After the last one there is no time left to tell.
        left = terminal.left_words(left_s) if event.done < event.segments else ""
        line.show(tr("Translating"), f"{tr('{done:,} of {total:,}', done=event.done, total=event.segments)} {left}")


def _report_fields(rows: Sequence[Row], stored: StoredTranslation, run: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON object; a segment not reached has no target."""
    return {
        "source_language": stored.source_language,
        "target_language": stored.wish.target,
        "segments": [_row_fields(row) for row in rows],
        "flagged": [row.segment.id for row in rows if row.translated is not None and row.translated.flags],
        "reused": stored.reused,
        **run,
        "errors": [],
    }


def _row_fields(row: Row) -> dict[str, Any]:
    done = row.translated
    return {
        "id": row.segment.id,
        "source": shown_text(row.segment.content),
        "target": shown_text(done.content) if done is not None else None,
        "flags": [flag.kind.value for flag in done.flags] if done is not None else [],
    }


def _wrong_output(options: argparse.Namespace, endings: Sequence[str]) -> str:
    """Return a message about an unwritable place; "" if all is well. Text can have any suffix."""
    if options.output is None:
        return ""
    out = options.output.expanduser().absolute()
    # Text has no format to keep, so `endings` is empty and any ending will do.
    if endings and out.suffix.lower() not in [ending.lower() for ending in endings]:
        return tr(terminal.MUST_END_IN, name=out.name, endings=join_entries(endings))
    if not out.parent.is_dir():
        return tr(terminal.NO_FOLDER, path=out.parent)
    # By the file itself, not its name: links would hide that they are one.
    if options.file != "-" and out.exists() and out.samefile(Path(options.file).expanduser()):
        return tr(IS_SOURCE, name=out.name)
    return ""


def _same_language(options: argparse.Namespace, given: StoredTranslation) -> str:
    if given.source_language != options.to:
        return ""
    said = tr(ALREADY_IN, name=given.name or tr("The text"), language=tr(english_name(options.to)))
    # Found out wrongly in a short text, this would be wrong, too.
    return said if options.source else f"{said} {tr(SET_LANGUAGE)}"


def _tell_memory(opened: OpenedMemory) -> None:
    # A damaged database must not stop a translation, but it must be said.
    if opened.moved_aside is not None:
        print(
            tr("The file with your chats was damaged. It was moved to {path}.", path=opened.moved_aside),
            file=sys.stderr,
        )
    if not opened.is_kept:
        print(tr(NOT_REUSABLE), file=sys.stderr)


def _print_translation(
    translations: TranslationJobs, id_: int, options: argparse.Namespace, run: dict[str, Any]
) -> None:
    """Print text or JSON, or write the file; segments to review are listed on standard error.

    `run` has this run's JSON fields.
    """
    stored, rows = translations.get(id_), translations.segments.read_rows(id_)
    assert stored is not None
    _tell_flags(rows, stored)
    if options.json:
        terminal.print_json(_report_fields(rows, stored, run))
    # Without a segment done there is only the source text, which nobody asked for.
    elif options.output is None and stored.done:
        print(translations.files.as_text(id_).rstrip("\n"))
    if options.output is None:
        return
    out = options.output.expanduser().absolute()
    try:
        # A partial document is written too: the interruption is of the translating, not of this.
        saved = [event for event in translations.files.save(id_, out, CancelToken()) if isinstance(event, Saved)]
    except AppError:
        if not options.json:
            print(translations.files.as_text(id_))  # it took its time: it is not lost with the disk's room
        raise
    for event in saved:
        _tell_saved(event, options.output)


def _tell_flags(rows: Sequence[Row], stored: StoredTranslation) -> None:
    flagged = [(row.segment, row.translated) for row in rows if row.translated is not None and row.translated.flags]
    for segment, translated in flagged[:MOST_TOLD_FLAGS]:
        words = " ".join(flag_words(segment, translated, stored.wish.target))
        print(tr("Segment {number:,}: {words}", number=segment.id, words=words), file=sys.stderr)
    if len(flagged) > MOST_TOLD_FLAGS:
        more = len(flagged) - MOST_TOLD_FLAGS
        print(tr_count("{count} more segment to check.", "{count} more segments to check.", more), file=sys.stderr)
    if flagged:
        print(
            tr_count(
                "Please check {flagged:,} of {count} segment: it may be wrong.",
                "Please check {flagged:,} of {count} segments: they may be wrong.",
                stored.segments,
                flagged=len(flagged),
            ),
            file=sys.stderr,
        )
    if open_ones := stored.segments - stored.done:
        one = "{open:,} of {count} segment wasn’t translated."
        print(tr_count(one, NOT_TRANSLATED, stored.segments, open=open_ones), file=sys.stderr)


def _tell_saved(saved: Saved, written_as: Path) -> None:
    if saved.untranslated and not saved.is_marked:
        print(
            tr_count(
                "{count} segment wasn’t translated and is in the original language.",
                "{count} segments weren’t translated and are in the original language.",
                len(saved.untranslated),
            ),
            file=sys.stderr,
        )
    if saved.refused:
        print(
            tr_count(
                "{count} segment couldn’t be written and was left unchanged.",
                "{count} segments couldn’t be written and were left unchanged.",
                len(saved.refused),
            ),
            file=sys.stderr,
        )
    if not saved.keeps_layout:
        print(tr(TEXT_ONLY), file=sys.stderr)
    print(tr(terminal.SAVED, path=written_as), file=sys.stderr)


def language_code(text: str) -> str:
    """Parse the code of a known language; "" stays."""
    found = find_language(text)
    if not text:
        return ""
    if found is None:
        raise argparse.ArgumentTypeError(tr("must be the code of a language, such as de or pt-BR"))
    return found.code


def warn_of_languages(model: Path, source: str, target: str) -> None:
    """Warn if the model wasn't trained for a language."""
    known = known_languages(model)
    if can_translate(known, source, target):
        if known.is_guess:
            why = tr("It’s made for code.") if known.is_for_code else tr("Only its name suggests that it does.")
            print(
                tr("{name} may not know {language}.", name=model.name, language=tr(english_name(target))),
                why,
                file=sys.stderr,
            )
        return
    able = {base_code(code) for code in known.languages}
    names = [tr(english_name(code)) for code in (source, target) if code and base_code(code) not in able]
    said = join_entries(names) or tr("these languages")
    print(tr(NOT_MADE_FOR, model=model.name, languages=said), file=sys.stderr)
