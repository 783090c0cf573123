"""`translate FILE` in the terminal: the text, one JSON object, or the document in its own format."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.bootstrap import build_engine
from app.cli.terminal import (
    INTERRUPTED,
    TRANSLATION_MODEL_HELP,
    ProgressLine,
    interruptible,
    left_words,
    load_model,
    model_path,
    print_json,
    unlocked,
)
from app.core.errors import AppError, DocumentUnreadable
from app.core.events import CancelToken
from app.core.paths import AppPaths
from app.core.settings import load_settings
from app.core.visible import clean_text
from app.documents.blocks import Block, Kind
from app.documents.protocol import BlocksRead, Done, Found, Read, Segments, SegmentsRead
from app.documents.reading import find_segments, read
from app.documents.segments import Content, Segment
from app.documents.source import Remark
from app.engine.client import EngineClient
from app.features.messages import remark_sentence
from app.features.models.languages import can_translate, knows
from app.features.translation.glossary import read_csv
from app.features.translation.live import joined, segments_of
from app.features.translation.marking import shown_text
from app.features.translation.memory import KeptMemory, model_key
from app.features.translation.pace import Pace
from app.features.translation.problems import flag_words
from app.features.translation.prompts import PROMPT_VERSION
from app.features.translation.recomposed import recomposed
from app.features.translation.recomposed import segments_of as segments_of_blocks
from app.features.translation.result import (
    Formality,
    Memory,
    Origin,
    SegmentDone,
    Term,
    Translated,
    TranslationEvent,
    TranslationPlanned,
    TranslationWish,
)
from app.features.translation.saving import (
    ENDINGS_OF_NEW,
    Original,
    check_target,
    compose,
    rewrite,
)
from app.features.translation.stored import Row, Saved
from app.features.translation.translate import translate
from app.features.work.asking import Rests
from app.features.work.awake import awake
from app.features.work.whole_file import written
from app.language.names import base, english_name, language
from app.store.translations import OpenedMemory, Pair, opened_memory

MOST_TOLD_FLAGS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `translate` takes."""
    parser.add_argument("file", metavar="FILE|-", help="a document; - is text on standard input")
    parser.add_argument("--to", metavar="xx", required=True, type=language_code, help="the language, such as pt-BR")
    parser.add_argument(
        "--from", metavar="yy", dest="source", default="", type=language_code, help="default: it is found out"
    )
    parser.add_argument("--glossary", metavar="FILE", type=Path, help="a CSV file: a term and its translation a line")
    formalities = [one.value for one in Formality if one.value]
    parser.add_argument("--formality", choices=formalities, default="", help="how people are addressed")
    parser.add_argument("--model", metavar="FILE", type=Path, help=TRANSLATION_MODEL_HELP)
    parser.add_argument("--password", metavar="TEXT", default="", help="of a PDF file; without it, it is asked for")
    parser.add_argument("-o", "--output", metavar="OUT", type=Path, help="save the document here, in its own format")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.set_defaults(run=run_translate)


def run_translate(options: argparse.Namespace) -> int:
    """`translate`: what is there when it is interrupted is given, and the exit code is 130.

    The next run of the same goes on where this one was: what is translated is in the memory.
    """
    places = AppPaths.from_environment()
    settings, _ = load_settings(places.settings)
    wish = TranslationWish(options.to, options.source, Formality(options.formality), glossary=_glossary(options))
    with interruptible() as cancel:
        given = _input(options, places, cancel)
        if given is None:
            return INTERRUPTED
        wrong, same = _wrong_output(options.output, given), _same_language(options, given)
        if wrong or (same and options.source):
            print(wrong or same, file=sys.stderr)
            return 2
        if same:  # it was only found so, which may be wrong in a short text
            print(same, file=sys.stderr)
        model = model_path(options.model, settings.models.translate_path, settings.engine.model_path)
        with closing(build_engine(places)) as engine, opened_memory(places.database) as opened:
            _tell_memory(opened)
            print(f"Loading {model.name}", file=sys.stderr)
            load_model(engine, model, settings, cancel)
            run = Run(given, wish, model, opened)
            with awake(lambda: settings.summaries.stay_awake) as look:
                run.work(engine, cancel, look)
        _tell(run, options, places)
    return INTERRUPTED if cancel.cancelled else 0


@dataclass
class Run:
    """One translation in the terminal; `done` is what came of it."""

    given: Input
    wish: TranslationWish
    model: Path
    opened: OpenedMemory
    done: dict[int, Translated] = field(default_factory=dict)
    source: str = ""
    seconds: float = 0.0

    def work(self, engine: EngineClient, cancel: CancelToken, look: Callable[[], None]) -> None:
        """Translates all of it, or as much as there is when it is cancelled. `look` is called now and then."""
        self.source = self.wish.source or self.given.language
        warn(self.model, self.source, self.wish.target)
        wish = TranslationWish(self.wish.target, self.source, self.wish.formality, self.wish.domain, self.wish.glossary)
        begun_s = time.monotonic()
        with _progress(self.given) as take:
            for event in translate(self.given.segments, wish, engine, self._memory(), cancel):
                take(event)
                look()
                if isinstance(event, TranslationPlanned):
                    self.source = self.source or event.source
                elif isinstance(event, SegmentDone):
                    self.done[event.translated.id] = event.translated
        self.seconds = time.monotonic() - begun_s

    @property
    def rows(self) -> list[Row]:
        """The segments beside what came of them."""
        return [Row(segment, self.done.get(segment.id)) for segment in self.given.segments]

    def report(self) -> dict[str, Any]:
        """The one object; a segment that was not come to has no target."""
        rows = self.rows
        return {
            "source_language": self.source,
            "target_language": self.wish.target,
            "segments": [_fields(row) for row in rows],
            "flagged": [row.segment.id for row in rows if row.translated is not None and row.translated.flags],
            "reused": sum(one.origin is Origin.MEMORY for one in self.done.values()),
            "seconds": round(self.seconds, 3),
            "model": self.model.name,
            "errors": [],
        }

    def _memory(self) -> Memory:
        return KeptMemory(
            self.opened.memory,
            self.wish,
            Pair(self.source, self.wish.target),
            model=model_key(self.model),
            prompt_version=PROMPT_VERSION,
        )


def _fields(row: Row) -> dict[str, Any]:
    done = row.translated
    return {
        "id": row.segment.id,
        "source": shown_text(row.segment.content),
        "target": shown_text(done.content) if done is not None else None,
        "flags": [flag.kind.value for flag in done.flags] if done is not None else [],
    }


def _glossary(options: argparse.Namespace) -> tuple[Term, ...]:
    path: Path | None = options.glossary
    if path is None:
        return ()
    try:
        return read_csv(path)
    except OSError as error:
        raise DocumentUnreadable.by_system(path, error) from error
    except ValueError as error:
        raise DocumentUnreadable(str(path), "not_text") from error


def _input(options: argparse.Namespace, places: AppPaths, cancel: CancelToken) -> Input | None:
    if options.file == "-":
        return text_input()
    path = Path(options.file).expanduser().absolute()
    return Files(places.documents, options.password, cancel).read(path)


def _wrong_output(output: Path | None, given: Input) -> str:
    """A sentence about a place that cannot be written to; "" where all is well."""
    if output is None:
        return ""
    out, endings = output.expanduser().absolute(), given.endings()
    if endings and out.suffix.lower() not in [one.lower() for one in endings]:
        return f"{out.name} has to end in {' or '.join(endings)}."
    if not out.parent.is_dir():
        return f"There is no folder {out.parent}."
    if given.path is not None and out.exists() and out.samefile(given.path):
        return f"{out.name} is the document that is to be translated."
    return ""


def _same_language(options: argparse.Namespace, given: Input) -> str:
    if (options.source or given.language) != options.to:
        return ""
    said = f"{given.name if given.path else 'The text'} is in {english_name(options.to)} already."
    return said if options.source else f"{said} Where that is wrong, --from names its language."


def _tell_memory(opened: OpenedMemory) -> None:
    if opened.moved_aside is not None:
        print(f"The file with your chats was damaged. It was moved to {opened.moved_aside}.", file=sys.stderr)
    if not opened.is_kept:
        print("What is translated now is not remembered: the data folder cannot be used.", file=sys.stderr)


@contextmanager
def _progress(given: Input) -> Iterator[Callable[[TranslationEvent], None]]:
    """Segment k of n and the time left, on standard error."""
    line, pace = ProgressLine(), Pace({one.id: len(one.text) for one in given.segments})
    beginning = ""

    def take(event: TranslationEvent) -> None:
        nonlocal beginning
        pace.take(event)
        if isinstance(event, TranslationPlanned):
            known = f", {event.known:,} known" if event.known else ""
            line.show(f"{event.segments:,} segment{'' if event.segments == 1 else 's'}{known}")
        elif isinstance(event, Rests) and event.reason:
            line.show("Waiting for the engine")
        elif isinstance(event, SegmentDone):
            left = left_words(pace.seconds_left()) if event.done < event.segments else ""
            line.show("Translating", f"{event.done:,} of {event.segments:,} {left}")

    try:
        yield take
    finally:
        line.end()


def _tell(run: Run, options: argparse.Namespace, places: AppPaths) -> None:
    """The text or the object on standard output, or the file; what should be looked at beside it."""
    _tell_flags(run)
    if options.json:
        print_json(run.report())
    elif options.output is None and run.done:
        print(run.given.as_text(run.done).rstrip("\n"))
    if options.output is None:
        return
    out = options.output.expanduser().absolute()
    try:
        # A partial document is written too: the interruption is of the translating, not of this.
        saved = run.given.save(out, run.rows, run.wish.target, CancelToken(), places.documents)
    except AppError:
        if not options.json:
            print(run.given.as_text(run.done))  # it took its time: it is not lost with the disk's room
        raise
    if saved is not None:
        _tell_saved(saved, options.output)


def _tell_flags(run: Run) -> None:
    flagged = [row for row in run.rows if row.translated is not None and row.translated.flags]
    for row in flagged[:MOST_TOLD_FLAGS]:
        if row.translated is not None:
            words = " ".join(flag_words(row.segment, row.translated, run.wish.target))
            print(f"Segment {row.segment.id:,}: {words}", file=sys.stderr)
    if len(flagged) > MOST_TOLD_FLAGS:
        print(f"{len(flagged) - MOST_TOLD_FLAGS:,} more segments should be looked at.", file=sys.stderr)
    open_ones = len(run.given.segments) - len(run.done)
    if open_ones:
        print(f"{open_ones:,} of {len(run.given.segments):,} segments are not translated.", file=sys.stderr)


def _tell_saved(saved: Saved, written_as: Path) -> None:
    if saved.untranslated and not saved.is_marked:
        print(f"{len(saved.untranslated):,} segments stand there in their own language.", file=sys.stderr)
    if saved.refused:
        print(f"{len(saved.refused):,} segments could not be written and stand as they were.", file=sys.stderr)
    if not saved.keeps_layout:
        print("It is a new document with the text alone; the layout is not kept.", file=sys.stderr)
    print(f"Saved {written_as}.", file=sys.stderr)


# What `translate` is given: a text on standard input, or a file whose segments the document child finds.


def language_code(text: str) -> str:
    """The code of a language that is known here; "" stays."""
    found = language(text)
    if not text:
        return ""
    if found is None:
        raise argparse.ArgumentTypeError("must be the code of a language, such as de or pt-BR")
    return found.code


def warn(model: Path, source: str, target: str) -> None:
    """Says where a model was not made for a language."""
    known = knows(model)
    if can_translate(known, source, target):
        return
    able = {base(code) for code in known.languages}
    names = [english_name(code) for code in (source, target) if code and base(code) not in able]
    said = " and ".join(names) or "these languages"
    print(f"{model.name} was not made for {said}. The translation will hardly be of use.", file=sys.stderr)


@dataclass(frozen=True)
class Input:
    """Something to translate. `text` is typed text; `original` a file that is written again; `blocks` those of one
    that is not. `language` is what was found, "" where that is not known."""

    name: str
    segments: Sequence[Segment]
    language: str = ""
    text: str = ""
    original: Original | None = None
    blocks: Sequence[Block] = ()
    path: Path | None = None
    unit: str = ""

    def endings(self) -> tuple[str, ...]:
        """What its translation can be saved as; nothing where every name will do."""
        if self.path is None:
            return ()
        return (self.path.suffix,) if self.original is not None else ENDINGS_OF_NEW

    def as_text(self, done: Mapping[int, Translated]) -> str:
        """The translation as plain text; what is not translated stays."""
        contents = {id_: one.content for id_, one in done.items()}
        if self.path is None:
            return joined(self.text, contents)
        if self.blocks:
            return "\n\n".join(_block_text(self.blocks, contents))
        return "\n\n".join(shown_text(contents.get(one.id, one.content)) for one in self.segments)

    def save(
        self, out: Path, rows: Sequence[Row], target: str, cancel: CancelToken, child_folder: Path
    ) -> Saved | None:
        """Writes the translation; None where that was cancelled. Raises what writing meets."""
        if self.path is None:
            with written(out) as file:
                done = {row.segment.id: row.translated for row in rows if row.translated is not None}
                file.write(self.as_text(done).encode("utf-8", "replace"))
            return Saved(out)
        check_target(out, self.path)
        if self.original is None:
            return compose(self.blocks, rows, target, out, title=self.path.stem, unit=self.unit)
        saved = None
        for event in rewrite(self.original, rows, target, out, cancel, child_folder=child_folder):
            saved = event if isinstance(event, Saved) else saved
        return saved


def text_input() -> Input:
    """What is on standard input; raises DocumentUnreadable where it is nothing."""
    text = clean_text(sys.stdin.read())
    segments = segments_of(text)
    if not segments:
        raise DocumentUnreadable("standard input", "no_text")
    return Input("-", segments, text=text)


@dataclass
class Files:
    """Reads files; `folder` is the child's own. Without `password` it is asked for, where a file needs one."""

    folder: Path
    password: str
    cancel: CancelToken

    def read(self, path: Path) -> Input | None:
        """What there is to translate in a file; None where it was cancelled. Raises what the child met."""
        found = unlocked(self.password, lambda password: self._found(path, password))
        if found is not None and not found.segments:
            raise DocumentUnreadable(str(path), "no_text")
        return found

    def _found(self, path: Path, password: str) -> Input | None:
        try:
            return self._segments(path, password)
        except DocumentUnreadable as error:
            if error.reason != "not_rewritable":
                raise
            return self._blocks(path, password)

    def _segments(self, path: Path, password: str) -> Input | None:
        segments: list[Segment] = []
        with ProgressLine() as line:
            line.show(f"Reading {path.name}")
            for event in find_segments(Segments(str(path), password), folder=self.folder, cancel=self.cancel):
                if isinstance(event, SegmentsRead):
                    segments += event.segments
                    line.show(f"Reading {path.name}", f"({len(segments):,} segments)" if segments else "")
                else:
                    line.end()
                    _tell_remarks(path, event.remarks)
                    original = Original(path, event.format, event.sha256, password)
                    return Input(path.name, segments, _code(event.language), original=original, path=path)
        return None

    def _blocks(self, path: Path, password: str) -> Input | None:
        blocks, unit = list[Block](), ""
        for event in read(Read(str(path), password), folder=self.folder, cancel=self.cancel):
            match event:
                case Found():
                    unit = event.opened.unit
                case BlocksRead():
                    blocks += event.blocks
                case Done():
                    _tell_remarks(path, event.remarks)
                    segments = list(segments_of_blocks(blocks))
                    return Input(path.name, segments, _code(event.language), blocks=blocks, path=path, unit=unit)
        return None


def _block_text(blocks: Sequence[Block], contents: Mapping[int, Content]) -> Iterator[str]:
    for one in recomposed(blocks, contents):
        is_table = one.block.kind is Kind.TABLE
        yield "\n".join("\t".join(row) for row in one.rows) if is_table else one.text


def _tell_remarks(path: Path, remarks: Sequence[Remark]) -> None:
    for remark in remarks:
        print(f"{path.name}: {remark_sentence(remark)}", file=sys.stderr)


def _code(found: str) -> str:
    known = language(found) if found else None
    return known.code if known else found
