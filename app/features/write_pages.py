"""Pages of the Write tab, reading and saving text files, and continuing a text with a model: what part of the text is
read, and one or several continuations.
"""

from __future__ import annotations

import codecs
import itertools
import math
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.core.errors import AppError, DocumentUnreadable, TextFileUnreadable
from app.core.events import (
    CancelToken,
    Finished,
    FinishReason,
    PromptProgress,
    TextDelta,
    TokenChosen,
    TokenSeen,
    Waiting,
)
from app.core.visible import visible_name
from app.engine.contract import Engine
from app.engine.protocol import Ask, Sampling
from app.features.chat.chat_options import known_sampling
from app.features.error_messages import remark_sentence
from app.features.work.saved_file import write_file
from app.store.page_store import PageRow, PageStore, Ranges, StoredPageState, WrittenPage

__all__ = ["OpenedFile", "PageRow", "Pages", "Ranges", "StoredPageState", "WrittenPage", "text_of"]

MOST_FILE_BYTES = 2_000_000
"""A thick book; saving more than that twice a second, and drawing it, would be felt."""
SEEN = "seen"
"""In a page's `file_form`: what its file was like when it was read or written last."""
_SAVING = threading.Lock()
"""One export at a time: otherwise an older text could be written last on a slow disk."""
_NEVER_TEXT = (b"%PDF-",)
"""Looks like text at its beginning."""
_MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


@dataclass(frozen=True)
class OpenedFile:
    """The page of a text file. `remarks` are sentences: a guessed encoding, bytes that were no text."""

    page: WrittenPage
    remarks: tuple[str, ...]


class Pages(PageStore):
    """All stored pages; what is said of `PageStore` holds here, too."""

    def open_file(self, path: Path) -> OpenedFile:
        """Return the page of this file if it has the same text, else create one named after the file.

        Raises TextFileUnreadable. Reads up to 2 MB and may guess the encoding: call from a worker thread.
        """
        path = path.absolute()
        text, form, remarks = _read_file(path)
        # The same file with other words is another page, so that nothing written here is lost.
        page = self.of_file(path, text)
        if page is None:
            page = self.create(text, title=visible_name(path.name), file=path, file_form=form)
        # The text is the same; how it is written has changed.
        elif page.file_form != form:
            self.note_file(page.id, path, form)
        return OpenedFile(page, remarks)

    def export_page(self, page_id: int, path: Path) -> tuple[str, ...]:
        """Save a page as a file, which becomes the page's own; return remarks on differences.

        Keeps the encoding and line ends of the opened file: UTF-8 if there was none or the encoding lacks a
        character. The file is replaced atomically; if another program changed it meanwhile, that version is saved
        next to it. Raises DiskFull, FolderNotWritable, and KeyError for a deleted page.
        """
        with _SAVING:
            return self._export_file(page_id, path.absolute())

    def _export_file(self, page_id: int, path: Path) -> tuple[str, ...]:
        page = self.get(page_id)
        if page is None:
            raise KeyError(page_id)
        data, form, remarks = _encode_text(page.text, page.file_form)
        target = path.resolve()  # a link stays one
        # Compared with what was read last: another program's work is kept beside.
        if path == page.file and form.get(SEEN) not in (None, _file_identity(target)):
            remarks += _kept_beside(target, data)
        with write_file(target) as file:
            file.write(data)
        self.note_file(page_id, path, form | {SEEN: _file_identity(target)})
        return remarks


def text_of(path: Path) -> str:
    """Read a file's text without making a page.

    Raises TextFileUnreadable; call from a worker thread, as `Pages.open_file`.
    """
    return _read_file(path)[0]


def _read_file(path: Path) -> tuple[str, dict[str, Any], tuple[str, ...]]:
    """Text with one kind of line end, what its file is to have again, and what is to be said."""
    from app.documents.encoding import after_the_text, decode, encoding_of, without_nuls

    # Before the bytes: a change in between is seen at the next saving.
    seen, data = _file_identity(path), _bytes_of(path)
    encoding = encoding_of(data)
    # PDFs begin like text.
    if not encoding or data.startswith(_NEVER_TEXT):
        raise _unreadable_file(path, "not_text")
    decoded, mark = decode(data, encoding), _MARKS.get(encoding, b"")
    has_mark = bool(mark) and data.startswith(mark)
    form = {"encoding": encoding, "newline": _usual_newline(decoded.text), "has_mark": has_mark, SEEN: seen}
    remarks = tuple(remark_sentence(remark) for remark in after_the_text(encoding, decoded.odd_bytes))
    return without_nuls(decoded.text), form, remarks


def _bytes_of(path: Path) -> bytes:
    from app.documents.child_files import check_file

    try:
        size_bytes = check_file(path).st_size
        if size_bytes > MOST_FILE_BYTES:
            raise _unreadable_file(path, "too_large")
        with path.open("rb") as file:
            # One byte more tells that it has grown since.
            data = file.read(MOST_FILE_BYTES + 1)
    except DocumentUnreadable as error:
        if error.reason == "empty":
            # An empty file is a page to write on.
            return b""
        raise _unreadable_file(path, error.reason) from error
    except OSError as error:
        raise _unreadable_file(path, DocumentUnreadable.by_system(path, error).reason) from error
    if len(data) > MOST_FILE_BYTES:  # it has grown
        raise _unreadable_file(path, "too_large")
    return data


def _file_identity(path: Path) -> list[int] | None:
    """Return what identifies a file's state: size in bytes and modification time in nanoseconds."""
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]


def _kept_beside(path: Path, data: bytes) -> tuple[str, ...]:
    """Save a copy of another program's version of a file, unless it is gone or equal to what will be written."""
    if not path.is_file() or (path.stat().st_size == len(data) and path.read_bytes() == data):
        return ()
    names = (f"{path.stem}.changed{number or ''}{path.suffix}" for number in itertools.count())
    copy = next(path.with_name(name) for name in names if not path.with_name(name).exists())
    with path.open("rb") as changed, write_file(copy) as file:
        shutil.copyfileobj(changed, file)
    return (f"Another program changed {visible_name(path.name)}. That version was kept as {visible_name(copy.name)}.",)


def _encode_text(text: str, form: dict[str, Any]) -> tuple[bytes, dict[str, Any], tuple[str, ...]]:
    from app.documents.source import ReadingRemark

    encoding, newline = form.get("encoding", "utf-8"), form.get("newline", "\n")
    # A page has one kind of line end; its file gets back its own.
    lines = text if newline == "\n" else text.replace("\n", newline)
    remarks: tuple[str, ...] = ()
    try:
        data = lines.encode(encoding)
    # The page has letters that its old encoding lacks.
    except (UnicodeEncodeError, LookupError):
        remarks = (remark_sentence(ReadingRemark("became_utf8", {"encoding": encoding})),)
        encoding, data = "utf-8", lines.encode()
    if form.get("has_mark"):
        data = _MARKS.get(encoding, b"") + data
    return data, form | {"encoding": encoding}, remarks


def _usual_newline(text: str) -> str:
    """Return the most frequent line end."""
    pairs = text.count("\r\n")
    counts = {"\n": text.count("\n") - pairs, "\r\n": pairs, "\r": text.count("\r") - pairs}
    return max(counts, key=lambda each: counts[each])


def _unreadable_file(path: Path, reason: str) -> TextFileUnreadable:
    return TextFileUnreadable(str(path), reason, MOST_FILE_BYTES)


SEEDS = 1 << 32
MOST_AT_ONCE = 5
LONGEST_TOKENS = 8192
USUAL_TOKENS = 64
TOLD = 8
"""Top tokens recorded per written token."""
GREEDY = Sampling(repeat_penalty=1.0, presence_penalty=0.0)
"""Always the likeliest token: nothing that a family of models recommends for chats takes any away."""


# How a page is gone on with.


@dataclass(frozen=True)
class WritingOptions:
    """Options stored with a page.

    `sampling` has the fields of `protocol.Sampling` that the page overrides. `middle`: fill in between the text
    before and after the cursor: "" (in code), on or off. `language` is the Pygments lexer for highlighting: "" by
    file, "text" for prose.
    """

    max_tokens: int = USUAL_TOKENS
    count: int = 1
    sampling: Mapping[str, float] = field(default_factory=dict)
    stop: tuple[str, ...] = ()
    middle: str = ""
    language: str = ""

    def to_fields(self) -> dict[str, Any]:
        return vars(self) | {"sampling": dict(self.sampling), "stop": list(self.stop)}

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> WritingOptions:
        """Read the JSON form; wrong or missing fields fall back to defaults."""
        sampling, stop = stored.get("sampling"), stored.get("stop")
        words = {name: stored[name] for name in ("middle", "language") if isinstance(stored.get(name), str)}
        return cls(
            max_tokens=_value_within(stored.get("max_tokens"), LONGEST_TOKENS, USUAL_TOKENS),
            count=_value_within(stored.get("count"), MOST_AT_ONCE, 1),
            sampling=known_sampling(sampling) if isinstance(sampling, dict) else {},
            stop=tuple(text for text in stop if isinstance(text, str) and text) if isinstance(stop, list) else (),
            **words,
        )

    def make_ask(self, text: str, suffix: str = "", *, tries: int = 0) -> Ask:
        """Build the engine's request. `tries` counts repetitions of the same request, so that a fixed seed moves on."""
        sampling = Sampling(**self.sampling)  # type: ignore[arg-type]
        if sampling.seed is not None:
            # The next seeds, so that asking again gives something else.
            sampling = replace(sampling, seed=(sampling.seed + tries * self.count) % SEEDS)
        return Ask(
            (),
            max_tokens=self.max_tokens,
            sampling=sampling,
            task_sampling=GREEDY if sampling.temperature == 0 else Sampling(),
            stop=self.stop,
            text=text,
            suffix=suffix,
            alternatives=TOLD,
            stop_on_repetition=True,
        )


def _value_within(value: object, most: int, usual: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most else usual


# Blanks before the cursor: to a tokenizer " word" is one token, so a prompt that ends with a blank asks for a word that
# begins without one, and models then write a number. The blanks stay out of the prompt, and the continuation begins
# with them.


BLANKS = " \t"
MOST_HEALED = 256
"""More blanks than that are no slip of the space bar, and stay in the prompt."""
_MARKED = str.maketrans({"\t": "\\t"})


def split_trailing_blanks(text: str, most: int | None = None) -> tuple[str, str]:
    """Split off trailing blanks, at most `most` (None: all). A text of only blanks, or with very many, isn't split."""
    # Only blanks, or very many, are meant.
    head = text.rstrip(BLANKS)
    count = len(text) - len(head)
    if not head or count > MOST_HEALED:
        return text, ""
    count = count if most is None else min(most, count)
    return text[: len(text) - count], text[len(text) - count :]


def grammar_beginning_with(blanks: str) -> str:
    """GBNF of any text that begins with these blanks."""
    return f'root ::= "{blanks.translate(_MARKED)}" .*'


class BlankTrimmer:
    """Drops from the beginning of a continuation the blanks that its page has already. Streaming."""

    def __init__(self, blanks: str) -> None:
        self._blanks_left = blanks

    def feed(self, text: str) -> str:
        """Return the part of this piece that isn't on the page yet."""
        while self._blanks_left and text:
            # The model wrote another blank than expected: everything from here is its own.
            if text[0] != self._blanks_left[0]:
                self._blanks_left = ""
                break
            text, self._blanks_left = text[1:], self._blanks_left[1:]
        return text


# Continuations while they are written.


@dataclass
class Continuation:
    """A continuation in progress; `finish_reason` is None until it ends.

    Before text arrives, `read` is the share of the prompt processed, and `waits` why it is waiting ("" if it isn't).
    The first of `tokens` may start with blanks that are before the cursor and not part of `text`.
    """

    text: str = ""
    tokens: list[TokenSeen] = field(default_factory=list)
    finish_reason: FinishReason | None = None
    read: PromptProgress | None = None
    waits: str = ""

    @property
    def log_probability(self) -> float:
        """Natural logarithm of how likely the model itself holds all of it."""
        return sum(token.log_probability for token in self.tokens)

    @property
    def probability_per_token(self) -> float:
        """Geometric mean of the model's token probabilities, before sampling."""
        return math.exp(self.log_probability / len(self.tokens)) if self.tokens else 0.0


def continue_text(
    engine: Engine, ask: Ask, count: int = 1, *, cancel: CancelToken | None = None, most_blanks: int | None = None
) -> Iterator[tuple[int, Continuation]]:
    """Continue `ask.text`, `count` times; yield (index, continuation) on every change.

    Several continuations run in one batch that shares the prompt; each has the next seed. Of the blanks at the text's
    end, `most_blanks` (None: all) stay out of the prompt and of what is yielded. Raises InfillUnavailable if the
    model has no tokens for a suffix, PromptTooLong, and the engine's errors.
    """
    text, blanks = split_trailing_blanks(ask.text, most_blanks)
    if ask.suffix.partition("\n")[0].strip() and text.endswith("\n"):  # it is the indentation of the suffix
        text, blanks = ask.text, ""
    ask = replace(ask, text=text, alternatives=max(ask.alternatives, 0))
    # Token healing without touching tokens: the model writes the blank together with the word that follows it.
    if blanks and not ask.forced and not ask.grammar:  # forced tokens bring their own blank
        ask = replace(ask, grammar=grammar_beginning_with(blanks))
    trimmers = [BlankTrimmer(blanks) for _ in range(count)]
    found = [Continuation() for _ in range(count)]
    seed = ask.sampling.seed
    asks = [
        ask if seed is None else replace(ask, sampling=replace(ask.sampling, seed=(seed + number) % SEEDS))
        for number in range(count)
    ]
    for index, event in engine.generate_many(asks, cancel=cancel, background=False):
        one = found[index]
        match event:
            case AppError():
                raise event
            # Told with the next text: a token may be half a letter.
            case TokenChosen(token=token):
                one.tokens.append(token)
                continue
            case TextDelta(text=piece):
                one.text += trimmers[index].feed(piece)
            case Finished(stats=stats):
                one.finish_reason = stats.finish_reason
            case PromptProgress():
                one.read = event
            case Waiting(reason=reason):
                one.waits = reason
                yield index, one
                continue
        one.waits = ""
        yield index, one


# How much of a long text is read: tokens are counted piece by piece, and what was counted once is remembered.


PIECE_CHARACTERS = 240
# At words or lines, so that tokens of pieces add up to nearly the text's.
_PIECE = re.compile(rf"[^\n]{{1,{PIECE_CHARACTERS}}}(?=\s|\Z)\n*|[^\n]{{{PIECE_CHARACTERS}}}|\n+")
BATCH_CHARACTERS = 60_000
MOST_KNOWN = 50_000
ROOM_TOKENS = 16
"""Left free for what a model puts before a text, and for what pieces have less than the whole."""

Counted = dict[str, int]
"""Tokens of pieces of text, for one model."""


def pieces_of(text: str) -> list[str]:
    """Split into pieces that end at words or lines, so that their token counts add up to nearly the text's."""
    return _PIECE.findall(text)


def count_pieces(engine: Engine, text: str, known: Counted, cancel: CancelToken) -> Iterator[int]:
    """Count the unknown pieces; yields the tokens known so far, at last the total. Ends without it when cancelled."""
    pieces = pieces_of(text)
    # Pieces of a long day's typing; all are counted again within a second.
    if len(known) > MOST_KNOWN:
        known.clear()
    missing = list(dict.fromkeys(piece for piece in pieces if piece not in known))
    begin = 0
    while begin < len(missing):
        # In batches, so that a cancel counts.
        end, size = begin, 0
        while end < len(missing) and size < BATCH_CHARACTERS:
            size += len(missing[end])
            end += 1
        counts = engine.count_texts(missing[begin:end], cancel=cancel)
        if cancel.cancelled:
            return
        known.update(zip(missing[begin:end], counts, strict=True))
        begin = end
        yield sum(known.get(piece, 0) for piece in pieces)
    yield sum(known[piece] for piece in pieces)


@dataclass(frozen=True)
class ContextWindow:
    """The part of a text the model reads: from `start` to the cursor, and to `end` when filling in.

    `tokens` counts that part, `all_tokens` the whole, for a context of `context_tokens`.
    """

    start: int
    end: int
    tokens: int
    all_tokens: int
    context_tokens: int

    @property
    def is_whole(self) -> bool:
        """True if everything fits."""
        return self.tokens == self.all_tokens


def reading_of(
    text: str, cursor: int, known: Counted, context_tokens: int, options: WritingOptions, *, fills: bool = False
) -> ContextWindow:
    """Choose the part of the text to read; `known` has the token counts of all pieces read.

    If the text is too long, its beginning is dropped in steps of a quarter of the room, so that the start stays the
    same for a while and the KV cache is reused.
    """
    # Half of the context at most for what is written, or nothing would be read.
    to_write = min(options.max_tokens * options.count, context_tokens // 2)
    room = max(1, context_tokens - to_write - ROOM_TOKENS)
    after, end, all_after = 0, cursor, 0
    if fills:
        behind = pieces_of(text[cursor:])
        all_after = sum(known[piece] for piece in behind)
        # A quarter for what follows: what stands before says more.
        end, after = _fitting_beginning(behind, known, room // 4, cursor)
    before = pieces_of(text[:cursor])
    all_before = sum(known[piece] for piece in before)
    start, left_out = _left_out(before, known, all_before, room - after)
    if start >= cursor > 0:  # a single piece is longer than what a small model holds
        start, left_out = max(0, cursor - max(1, (room - after) // 4)), all_before - (room - after)
    return ContextWindow(start, end, all_before - left_out + after, all_before + all_after, context_tokens)


def _fitting_beginning(pieces: list[str], known: Counted, room: int, at: int) -> tuple[int, int]:
    """Return where the pieces that fit end, starting `at`, and their tokens."""
    tokens = 0
    for piece in pieces:
        if tokens + known[piece] > room:
            break
        tokens += known[piece]
        at += len(piece)
    return at, tokens


def _left_out(pieces: list[str], known: Counted, total: int, room: int) -> tuple[int, int]:
    """Return where reading starts, and the tokens before that."""
    if total <= room:
        return 0, 0
    step = max(1, room // 4)
    # In steps, so that the start stays where it is for a while and what was read is used again.
    wanted, at, tokens = -(-(total - room) // step) * step, 0, 0
    for piece in pieces:
        if tokens >= wanted:
            break
        tokens += known[piece]
        at += len(piece)
    return at, tokens


# A page that is gone on with.


@dataclass(frozen=True)
class PageAsked:
    """A text, the cursor in it and the options.

    `fills`: text after the cursor is read, too. `forced` are token ids to start with, whatever the model prefers;
    `most_blanks` as in `continue_text`.
    """

    text: str
    cursor: int
    options: WritingOptions
    fills: bool = False
    tries: int = 0
    forced: tuple[int, ...] = ()
    most_blanks: int | None = None


def go_on(
    engine: Engine, asked: PageAsked, known: Counted, cancel: CancelToken
) -> Iterator[int | ContextWindow | tuple[int, Continuation]]:
    """Count tokens, yield the `ContextWindow`, then continuations as `continue_text`. Raises as that does."""
    text, cursor, options = asked.text, asked.cursor, asked.options
    for part in (text[:cursor], text[cursor:] if asked.fills else ""):
        yield from count_pieces(engine, part, known, cancel)
    loaded = engine.loaded
    if cancel.cancelled or loaded is None:
        # Cancelled, or the model left while tokens were counted.
        yield from ((number, Continuation(finish_reason=FinishReason.CANCELLED)) for number in range(options.count))
        return
    reading = reading_of(text, cursor, known, loaded.context_tokens, options, fills=asked.fills)
    yield reading
    ask = options.make_ask(text[reading.start : cursor], text[cursor : reading.end], tries=asked.tries)
    ask = replace(ask, forced=asked.forced)
    yield from continue_text(engine, ask, options.count, cancel=cancel, most_blanks=asked.most_blanks)


def measure_page(
    engine: Engine, asked: PageAsked, known: Counted, cancel: CancelToken
) -> Iterator[int | ContextWindow]:
    """Count the page's tokens, yielding counts, then the `ContextWindow`."""
    for part in (asked.text[: asked.cursor], asked.text[asked.cursor :]):
        yield from count_pieces(engine, part, known, cancel)
    loaded = engine.loaded
    if not cancel.cancelled and loaded is not None:
        yield reading_of(asked.text, asked.cursor, known, loaded.context_tokens, asked.options, fills=asked.fills)
