"""Record with the microphone, and transcribe recordings with the loaded model, as documents.

Recordings are stored in the user's data folder as long as something uses them. Transcription runs piece by piece;
each sentence gets its seconds. The events are those of reading a document (`app.documents.read_document.read`), so
that speech can be asked about, cited, summarized and translated like any text. A block's position is in milliseconds
of the recording.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.child import Child, own_command
from app.core.errors.document_errors import MicrophoneMissing
from app.core.errors.model_errors import NoModel
from app.core.errors.request_errors import MediaRefused
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass
from app.core.paths import make_folder
from app.core.wire import Ended, WireClient
from app.core.wire import WireInbox as Replies
from app.documents.blocks import Block, BlockKind, BlockNumbering, BlockPiece, BlockPlace
from app.documents.microphone import TRIAL_VARIABLE, WIRE, Heard, NoMicrophone, Record
from app.documents.protocol import BlocksRead, Done, Event, Found, Listen, Read, SoundHeard, SoundPiece
from app.documents.source import Opened, PageRead, ReadingRemark
from app.features.page_reading.by_model import EMPTY, READ, PageAnswer, ask_model
from app.language.sentences import split_sentences
from app.store.document_store import HEARD, DocumentStore, PageReadings, StoredPageReading
from app.store.encrypted_files import fetch_file, forget_file, store_file, stored_files

if TYPE_CHECKING:
    from app.core.events import CancelToken, ModelLoaded
    from app.core.paths import AppPaths
    from app.engine.contract import Engine
    from app.engine.protocol import Ask
    from app.store.database import Database


LOOK_EVERY_S = 0.1
STARTS_WITHIN_S = 15.0
UNHEARD_KEPT_S = 30 * 24 * 3600.0
LEAST_S = 0.3
"""Shorter recordings are accidental and dropped."""


@dataclass(frozen=True)
class RecordingDone:
    """Event: the recording is finished and stored."""

    path: Path
    seconds: float


class SoundRecorder:
    """`child_folder` is the child's own; `name` makes a name without an ending."""

    def __init__(self, child_folder: Path, name: Callable[[], str]) -> None:
        self._child_folder, self._name = child_folder, name

    def record(self, folder: Path, stop: CancelToken) -> Iterator[Heard | RecordingDone]:
        """Until `stop`: what was heard so far, then `RecordingDone` unless too short. Raises MicrophoneMissing."""
        make_folder(folder)
        path = _free_path(folder, self._name())
        # Only the microphone's trial for tests goes into the child's environment.
        trial = {name: os.environ[name] for name in (TRIAL_VARIABLE,) if name in os.environ}
        said = Replies()
        child = Child(own_command("--record-worker"), self._child_folder, trial, work="recording")
        seconds = 0.0
        try:
            WireClient(WIRE, child, said.add_item).send(Record(str(path)))
            until_s = time.monotonic() + STARTS_WITHIN_S
            while not stop.cancelled:
                event = said.next_item(LOOK_EVERY_S)
                if isinstance(event, NoMicrophone | Ended):
                    # The child says why, or ends without a word where a driver crashed.
                    raise MicrophoneMissing(event.detail if isinstance(event, NoMicrophone) else event.tail)
                # A driver may hang for ever; only the first sound proves that it records.
                if event is None and not seconds and time.monotonic() > until_s:
                    raise MicrophoneMissing("it did not start")
                if isinstance(event, Heard):
                    seconds = event.seconds
                    yield event
            child.close()
            if seconds >= LEAST_S:
                store_file(path)
                yield RecordingDone(path, seconds)
        finally:
            # Ended by force: closing a device may hang, too.
            child.kill_tree()
            child.close()
            # Nobody wants a file of a slip of the finger.
            if seconds < LEAST_S:
                path.unlink(missing_ok=True)


def moved_into(folder: Path, path: Path) -> Path:
    """Move a recording into a folder unless it is there; return its path. Raises OSError."""
    if path.parent == folder:
        return path
    make_folder(folder)
    moved = Path(shutil.move(path, _free_path(folder, path.stem)))
    forget_file(path)
    store_file(moved)
    return moved


def _free_path(folder: Path, name: str) -> Path:
    path, number, encrypted = folder / f"{name}.wav", 2, stored_files(folder)
    while path.exists() or path in encrypted:
        path, number = folder / f"{name} {number}.wav", number + 1
    return path


class RecordedFiles:
    """The files that were recorded. A document is made of each, from which it is then known that it is used."""

    def __init__(self, folder: Path, store: DocumentStore) -> None:
        self._folder, self._store = folder, store

    def used_names(self) -> set[str]:
        """Return the names of recordings that documents were made from, wherever this folder was then."""
        # By name, since the folder may have been moved with the program.
        return {path.name for path in self._store.list_paths() if path.parent.name == self._folder.name}

    def remove_unused(self, used_before: set[str], before: float) -> None:
        """Delete recordings whose document was deleted.

        Recordings that never had a document stay for `UNHEARD_KEPT_S` after they were made, measured from `before`
        (seconds since 1970): nobody deleted those.
        """
        used = self.used_names()
        times = {path: path.stat().st_mtime for path in self._folder.glob("*.wav")}
        for path, changed_at in (times | stored_files(self._folder)).items():
            is_old = changed_at < before - UNHEARD_KEPT_S
            # One that never had a document was deleted by nobody, so it stays longer.
            if path.name not in used and (path.name in used_before or is_old):
                forget_file(path)
                with suppress(OSError):
                    path.unlink()


FORMAT, UNIT = "sound", "minute"
MINUTE_S = 60.0
WORDS = (
    "Transcribe the speech in this recording, word for word and in the language that is spoken. "
    "Write nothing but what is said."
)
_OWN_WORDS = (("qwen3-asr", ""), ("voxtral", "[TRANSCRIBE]"))
"""Models made for this want their own; read in what their makers write, not tried here."""
_ASR_HEAD = re.compile(r"\s*(?:language\s+\w+\s*)?<asr_text>")
MOST_TOKENS = 512
"""Of a piece of half a minute; the fastest speakers say 150 words in it."""
LANGUAGE_CHARACTERS = 10_000
CUE_CHARACTERS = 84
"""Two lines of 42, as subtitles have them."""
MOST_CUE_S = 7.0


@dataclass(frozen=True)
class SpokenSegment:
    """Text spoken between two times, in seconds."""

    start_s: float
    end_s: float
    text: str


class RecordingTranscriber:
    """Turn recordings into documents with the given engine.

    `folder` is the document child's, `scratch` for pieces of sound. `kept` stores finished pieces until all are done,
    so that an interrupted one resumes.
    """

    def __init__(
        self, engine: Callable[[], Engine], folder: Path, scratch: Path, kept: PageReadings | None = None
    ) -> None:
        self._engine, self._folder, self._scratch, self._readings = engine, folder, scratch, kept

    def read_recording(self, request: Read, cancel: CancelToken) -> Generator[Event, None, None]:
        """Transcribe as `app.documents.read_document.read` reads.

        Raises NoModel or MediaRefused ("deaf") if no model hears, and errors of child, engine and store.

        After `Done` everything has been yielded; an interrupted recording starts with what the same model transcribed
        before.
        """
        engine = self._engine()
        if (model := engine.loaded) is None:
            raise NoModel
        if not model.hears:
            raise MediaRefused(request.path, "sound", "deaf")
        make_folder(self._scratch)
        # Pieces are files that the engine reads; they go with the block.
        with tempfile.TemporaryDirectory(prefix="heard-", dir=self._scratch) as folder:
            heard: list[SoundPiece | SoundHeard] = []
            yield from self._cut_sound(Listen(request.path, folder, model.hearing_hz or 16_000), heard, cancel)
            end = heard.pop() if heard else None
            # Without the end the recording was not cut whole.
            if isinstance(end, SoundHeard):
                pieces = [piece for piece in heard if isinstance(piece, SoundPiece) and piece.path]
                heard_before = _TranscribedPieces(self._readings, end.sha256, model)
                yield from _RecordingDocument(engine, model, end, heard_before, cancel).read_events(pieces)
                # All are in a document now; kept until then for a run that goes on.
                if not cancel.cancelled:
                    heard_before.forget_all()

    def _cut_sound(self, request: Listen, heard: list[SoundPiece | SoundHeard], cancel: CancelToken) -> Iterator[Event]:
        from app.documents.read_document import listen

        for event in listen(request, folder=self._folder, cancel=cancel):
            if isinstance(event, SoundPiece | SoundHeard):
                heard.append(event)
            # Nothing new, but somebody sees that it works and can cancel.
            yield BlocksRead(())


class _TranscribedPieces:
    """Transcribed pieces of a recording.

    Pieces always have the same boundaries. They are stored under a special key, so as never to be taken for page
    readings.
    """

    def __init__(self, kept: PageReadings | None, sha256: str, model: ModelLoaded) -> None:
        import hashlib

        # Another model, or the same one at another rate, hears otherwise.
        facts = (HEARD, sha256, model.name, Path(model.path).name, str(model.hearing_hz))
        self._key = hashlib.sha256("\0".join(facts).encode("utf-8", "replace")).hexdigest()
        self._readings, self._model = kept, model.name
        self._known = kept.read_pages(self._key) if kept is not None else {}

    def find_piece(self, number: int, piece: SoundPiece) -> PageAnswer | None:
        """Return the transcript of a piece, numbered from 1; None if there is none."""
        reading = self._known.get(number)
        fields = reading.blocks[0] if reading is not None and reading.blocks else {}
        # Cut elsewhere by another version: its text belongs to other seconds.
        if reading is None or (fields.get("start_s"), fields.get("end_s")) != (piece.start_s, piece.end_s):
            return None
        return PageAnswer(fields["text"], reading.state)

    def keep_piece(self, number: int, piece: SoundPiece, said: PageAnswer) -> None:
        if self._readings is not None:
            fields = {"text": said.text, "start_s": piece.start_s, "end_s": piece.end_s}
            self._readings.save_page(self._key, StoredPageReading(number, HEARD, self._model, said.state, (fields,)))

    def forget_all(self) -> None:
        """Delete the pieces, once all are in a document."""
        if self._readings is not None:
            self._readings.forget_all(self._key)


class _RecordingDocument:
    """A recording being turned into a document."""

    def __init__(
        self, engine: Engine, model: ModelLoaded, end: SoundHeard, heard: _TranscribedPieces, cancel: CancelToken
    ) -> None:
        self._engine, self._model, self._end, self._heard_before, self._cancel = engine, model, end, heard, cancel
        self._numbering = BlockNumbering()
        self._minutes = max(1, math.ceil(end.seconds / MINUTE_S))
        self._sample = ""
        self._unclear_pieces = 0

    def read_events(self, pieces: Sequence[SoundPiece]) -> Iterator[Event]:
        yield Found(FORMAT, Opened(UNIT, self._minutes, seconds=self._end.seconds))
        spoken: set[int] = set()
        told = 0
        for number, piece in enumerate(pieces, 1):
            said: list[SpokenSegment] = []
            yield from self._transcribe_piece(number, piece, said)
            if self._cancel.cancelled:
                return
            blocks = tuple(self._make_block(segment) for segment in said)
            spoken |= {block.page for block in blocks if block.page}
            yield BlocksRead(blocks)
            # A minute is told once all that was said in it is known.
            until = _minute_of(piece.end_s) - 1
            for minute in range(told + 1, until + 1):
                yield PageRead(minute, minute in spoken)
            told = max(told, until)
        for minute in range(told + 1, self._minutes + 1):
            yield PageRead(minute, minute in spoken)
        yield self._done_event(spoken)

    def _transcribe_piece(self, number: int, piece: SoundPiece, said: list[SpokenSegment]) -> Iterator[Event]:
        """Transcribe a piece into `said`, yielding events as the model writes."""
        if (found := self._heard_before.find_piece(number, piece)) is None:
            for event in ask_model(self._engine, ask_for(piece, self._model), self._cancel):
                if isinstance(event, PageAnswer):
                    found = event
                    self._heard_before.keep_piece(number, piece, event)
                yield BlocksRead(())
        if found is not None:
            # A piece that broke off or made no sense is counted, and told in a remark.
            self._unclear_pieces += found.state not in (READ, EMPTY)
            said += segments_of(found.text, piece.start_s, piece.end_s)

    def _make_block(self, segment: SpokenSegment) -> Block:
        self._sample = (self._sample + " " + segment.text)[:LANGUAGE_CHARACTERS]
        place = BlockPlace("", round(segment.start_s * 1000), round(segment.end_s * 1000))
        # A sentence may begin in the last moment of the last minute.
        page = min(self._minutes, _minute_of(segment.start_s))
        label = f"{format_clock(segment.start_s)} – {format_clock(segment.end_s)}"
        return self._numbering.block(BlockPiece(BlockKind.PARAGRAPH, segment.text, page, place, label=label))

    def _done_event(self, spoken: set[int]) -> Done:
        from app.language.language_detection import language_of

        silent = tuple(minute for minute in range(1, self._minutes + 1) if minute not in spoken)
        remarks = (ReadingRemark("unclear", {"count": self._unclear_pieces}),) if self._unclear_pieces else ()
        language = language_of(self._sample) if self._sample else ""
        return Done(self._minutes, silent, self._numbering.count, language, self._end.sha256, remarks)


def ask_for(piece: SoundPiece, model: ModelLoaded, language: str = "") -> Ask:
    """Build the request for a piece, with a fixed seed so that the result is repeatable.

    `language` is the code of the one that is spoken; "" lets the model find it out.
    """
    import hashlib

    from app.core.events import Media, Message, Role
    from app.core.settings import ChatDefaults, Settings
    from app.engine.protocol import Ask, Sampling
    from app.features.chat.chat_options import template_variables

    names = f"{model.name} {Path(model.path).name}".lower()
    # Models made for this want their makers' words.
    words = next((own for name, own in _OWN_WORDS if name in names), WORDS + _language_hint(language))
    digest = hashlib.sha256(Path(piece.path).read_bytes()).hexdigest()
    media = Media(digest, piece.path, "sound", seconds=piece.end_s - piece.start_s)
    return Ask(
        [Message(Role.USER, words, (media,))],
        # A loop would write until the context is full.
        max_tokens=min(MOST_TOKENS, max(64, model.context_tokens // 4)),
        # The same recording gives the same text, by which pieces are found again.
        task_sampling=Sampling(0.0, repeat_penalty=1.0, presence_penalty=0.0, seed=1),
        template_variables=template_variables(None, Settings(chat=ChatDefaults(thinking="off")), model),
        background=True,
    )


def _language_hint(language: str) -> str:
    from app.language.language_names import english_name

    return f" The language is {english_name(language)}." if language else ""


def joined_text(text: str) -> str:
    """Return what a model said of a piece as one line, without the head that some models write."""
    return " ".join(_ASR_HEAD.sub("", text, count=1).split())


def segments_of(text: str, start_s: float, end_s: float) -> list[SpokenSegment]:
    """Split a piece's text into sentences. Time is divided by length, because models give no timestamps."""
    text = joined_text(text)
    parts = [part for part in (text[first:last].strip() for first, last in split_sentences(text)) if part]
    return _share_time(parts, start_s, end_s)


def cues_of(segments: Sequence[SpokenSegment]) -> Iterator[SpokenSegment]:
    """Split segments into cues of at most two lines and seven seconds."""
    for segment in segments:
        # As few parts as fit two lines and seven seconds.
        for count in range(1, len(segment.text) + 1):
            cues = _share_time(_divide_text(segment.text, count), segment.start_s, segment.end_s)
            if all(len(cue.text) <= CUE_CHARACTERS and cue.end_s - cue.start_s <= MOST_CUE_S for cue in cues):
                break
        yield from cues


def srt_of(segments: Sequence[SpokenSegment]) -> str:
    cues = [
        f"{number}\n{_srt_time(cue.start_s)} --> {_srt_time(cue.end_s)}\n{_in_lines(cue.text)}\n"
        for number, cue in enumerate(cues_of(segments), 1)
    ]
    return "\n".join(cues)


def vtt_of(segments: Sequence[SpokenSegment]) -> str:
    cues = [
        f"{_srt_time(cue.start_s)} --> {_srt_time(cue.end_s)}".replace(",", ".") + f"\n{_in_lines(cue.text)}\n"
        for cue in cues_of(segments)
    ]
    return "\n".join(("WEBVTT\n", *cues))


def text_of(segments: Sequence[SpokenSegment]) -> str:
    """Format as one sentence a line, without times."""
    return "".join(f"{segment.text}\n" for segment in segments)


@dataclass(frozen=True)
class SpokenTranscript:
    """Transcript of a recording; `language` is a code such as "en", "" if too short to tell."""

    segments: tuple[SpokenSegment, ...]
    seconds: float
    language: str


def transcribe_file(hearing: RecordingTranscriber, path: Path, cancel: CancelToken) -> SpokenTranscript | None:
    """Hear a whole recording; None when cancelled. Raises as `RecordingTranscriber.read_recording`."""
    segments, seconds = list[SpokenSegment](), 0.0
    for event in hearing.read_recording(Read(str(path)), cancel):
        match event:
            case Found(opened=opened):
                seconds = opened.seconds
            case BlocksRead(blocks=blocks):
                segments += map(segment_of, blocks)
            case Done(language=language):
                return SpokenTranscript(tuple(segments), seconds, language)
    return None


def segment_of(block: Block) -> SpokenSegment:
    """Convert a block of a recording into a segment."""
    return SpokenSegment(block.place.start / 1000, block.place.end / 1000, block.text)


def format_clock(seconds: float) -> str:
    """Format as 1:02:03, or 2:03 below an hour."""
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def _minute_of(seconds: float) -> int:
    return int(seconds // MINUTE_S) + 1


def _share_time(parts: Sequence[str], start_s: float, end_s: float) -> list[SpokenSegment]:
    letters = sum(map(len, parts))
    found, at_s = [], start_s
    for part in parts:
        # By length: no model tells when a word was said.
        until_s = at_s + (end_s - start_s) * len(part) / letters
        found.append(SpokenSegment(at_s, until_s, part))
        at_s = until_s
    return found


def _divide_text(text: str, count: int) -> list[str]:
    """Split into about equal parts, between words if there are any."""
    parts, rest = [], text
    for left in range(count, 1, -1):
        middle = math.ceil(len(rest) / left)
        # A single long word is cut within.
        cut = max(rest.rfind(" ", 0, middle + 1), 0) or middle
        parts.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    return [part for part in (*parts, rest) if part]


def _in_lines(text: str) -> str:
    return "\n".join(_divide_text(text, 2)) if len(text) > CUE_CHARACTERS // 2 else text


def _srt_time(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d},{rest % 1000:03d}"


def build_hearing(
    paths: AppPaths, engine: Callable[[], Engine], kept: PageReadings | None = None
) -> RecordingTranscriber:
    """Build the transcriber that turns recordings into documents with the loaded model."""
    return RecordingTranscriber(engine, paths.documents, paths.heard, kept)


def hear_stored(
    paths: AppPaths, engine: Callable[[], Engine], database: Database, request: Read, cancel: CancelToken
) -> Generator[Event, None, None]:
    """Read a recording with the loaded model; finished parts of it are kept in the database."""
    fetch_file(Path(request.path))
    yield from build_hearing(paths, engine, PageReadings(database)).read_recording(request, cancel)


def build_recordings(paths: AppPaths, database: Database) -> RecordedFiles:
    return RecordedFiles(paths.recordings, DocumentStore(database))
