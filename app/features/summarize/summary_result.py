"""A summary's data: options, statements with their sources, coverage; and its JSON form."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Any, Protocol

from app.core.catalogue import CountedTexts, tr_count
from app.core.errors.document_errors import DocumentGone, DocumentUnreadable
from app.core.lazy_dataclasses import dataclass, field, replace
from app.core.wire import from_json
from app.documents.blocks import Block
from app.documents.source import PageRead
from app.features.document_library import DocumentLibrary
from app.features.work.asking import TaskRests
from app.store.document_store import StoredDocument
from app.store.jobs import Job, JobRow


class Length(StrEnum):
    """Length of a summary; word counts in `sections.WORDS`."""

    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"


class Form(StrEnum):
    PARAGRAPHS = "paragraphs"
    BULLETS = "bullets"
    SECTIONS = "sections"
    """A few statements under each of the document's own headings."""
    ACTIONS = "actions"
    """Tasks: what to do, by whom, by when."""
    QUESTIONS = "questions"
    """Questions that the document answers, with the answers."""
    OWN = "own"
    """As `SummaryOptions.instruction` says."""


class Method(StrEnum):
    MODEL = "model"
    DIGEST = "digest"
    """By counting words: its statements are sentences of the documents."""


@dataclass(frozen=True)
class SummaryOptions:
    """Options the user chose.

    `language` is a code such as "de", "" for the document's own. `method` None: automatic, see `method.method_for`.
    """

    length: Length = Length.MEDIUM
    form: Form = Form.BULLETS
    language: str = ""
    instruction: str = ""
    method: Method | None = None


class CheckReason(StrEnum):
    """Reason for a check's result, as in the terminal's JSON."""

    CLOSE_MATCH = "close_match"
    """The quotation is there with slight differences in spelling."""
    QUOTE_NOT_FOUND = "quote_not_found"
    NUMBER = "number"
    """A number, its unit or a date is not in the cited blocks."""
    NAME = "name"
    SUPPORT = "support"
    """Too few of its words are in the cited blocks."""
    GARBLED = "garbled"
    """Letters of another script, words glued together after a full stop, or a repeated sentence."""
    LANGUAGE = "language"
    """It is in another language than the cited blocks, so that its words could not be compared."""


@dataclass(frozen=True)
class Check:
    """A comparison with the source and its result, without judgement.

    `said` is the part of the statement missing from its page (a number, a name), `page_says` what the page has
    instead, "" if nothing comparable. The only reason with `found` is `CLOSE_MATCH`.
    """

    found: bool = True
    reason: CheckReason | None = None
    said: str = ""
    page_says: str = ""

    @property
    def differs(self) -> bool:
        """True if the page has something else instead."""
        return not self.found and bool(self.page_says)

    @property
    def is_compared(self) -> bool:
        """True if the language has a rule to compare by."""
        return self.reason is not CheckReason.LANGUAGE


@dataclass(frozen=True)
class ClaimAnchor:
    """A source of a statement:

    `start` to `end` in a block's text (both 0: the whole block). `document` is an index into `Summary.documents`;
    `text` is the source text.
    """

    document: int
    block_id: int
    page: int | None
    start: int = 0
    end: int = 0
    text: str = ""


@dataclass(frozen=True)
class Statement:
    """A statement of the summary, usually a sentence.

    `group` is its heading or question, "" without one. In the form PARAGRAPHS, statements with the same `paragraph`
    (from 0) belong together.
    """

    text: str
    anchors: tuple[ClaimAnchor, ...] = ()
    check: Check = field(default_factory=Check)
    group: str = ""
    paragraph: int = 0
    unsupported: tuple[tuple[int, int], ...] = ()
    """Ranges of `text` without support in the cited blocks by a claim checker, see `Summary.checker`."""


@dataclass(frozen=True)
class LeftApart:
    """Content left out because it isn't prose, see `ApartReason`; `pages` have nothing else."""

    what: str
    blocks: int
    pages: tuple[int, ...] = ()


@dataclass(frozen=True)
class Coverage:
    """Coverage of one document. A block counts as read when all its text was in answered prompts.

    `pages_read` are pages with text that were read, `partly_read` those with some text missing, `unread_pages` those
    not read at all. `pictures` are those of `pages_without_text` that are pictures.
    """

    blocks: int
    blocks_read: int
    pages: int
    pages_read: int
    pages_without_text: tuple[int, ...] = ()
    unread_pages: tuple[int, ...] = ()
    pictures: tuple[int, ...] = ()
    partly_read: tuple[int, ...] = ()
    apart: tuple[LeftApart, ...] = ()


@dataclass(frozen=True)
class SummarizedDocument:
    """A summarized document; `id` is the store's, 0 in the terminal. `unit` is the name of its pages."""

    id: int
    name: str
    title: str
    unit: str
    coverage: Coverage


@dataclass(frozen=True)
class Summary:
    """A summary, complete or partial.

    `language` is the one it is written in. `sections_failed` were tried but couldn't be condensed (a model that
    refuses, or answers with nothing usable); their blocks don't count as read.
    """

    title: str
    documents: tuple[SummarizedDocument, ...]
    statements: tuple[Statement, ...]
    wish: SummaryOptions
    language: str
    model: str
    sections: int
    sections_read: int
    sections_failed: int = 0
    is_partial: bool = False
    seconds: float = 0.0
    unknown_languages: tuple[str, ...] = ()
    """Languages that it was to be read or written in, by their codes, and that the model was not made for."""
    method: Method = Method.MODEL
    set_aside: tuple[Statement, ...] = ()
    """Statements of `model` that were replaced by an extract because too few were found in the text."""
    has_given_up: bool = False
    """True if `model` was stopped midway because too few of its claims were found."""
    checker: str = ""
    """The claim checker that read what `model` wrote; "" where none did."""


def wish_from_json(raw: Mapping[str, Any]) -> SummaryOptions:
    """Read a stored wish; unknown values fall back to the default."""
    length, form, method = (str(raw.get(name, "")) for name in ("length", "form", "method"))
    return SummaryOptions(
        Length(length) if length in list(Length) else Length.MEDIUM,
        Form(form) if form in list(Form) else Form.BULLETS,
        str(raw.get("language", "")),
        str(raw.get("instruction", "")),
        Method(method) if method in list(Method) else None,
    )


def summary_from_json(raw: Mapping[str, Any]) -> Summary:
    """Read a stored summary. Raises KeyError, TypeError or ValueError for anything else."""
    # The wish is read apart: an older or newer program may have stored a value that this one doesn't know.
    return replace(from_json(Summary, {**raw, "wish": {}}), wish=wish_from_json(raw["wish"]))


@dataclass(frozen=True)
class InputDocument:
    """A document to summarize, with all blocks in order.

    `id` is the store's. `picture_pages` are those of `pages_without_text` that are pictures.
    """

    id: int
    name: str
    title: str
    unit: str
    pages: int
    pages_without_text: tuple[int, ...]
    language: str
    blocks: Sequence[Block]
    picture_pages: tuple[int, ...] = ()


class Steps(Protocol):
    """Store of finished steps, so that none is repeated. Values are plain JSON."""

    def find_step(self, key: str) -> Any | None:
        """Return the value stored under a key by this or any other summary, or None."""

    def keep_step(self, key: str, value: Any) -> None:
        """Store a finished step; it is safe on return."""


@dataclass(frozen=True)
class Planned:
    """The first event: how much there is to do. `sections` is 1 where everything fits into one pass.

    It may come again, where what was planned first did not do.
    """

    sections: int
    tokens: int
    method: Method = Method.MODEL


@dataclass(frozen=True)
class SectionRead:
    """Event: a section was read, `done` of `sections`.

    `points` are its checked statements. `document` and `first_page` locate it. `was_kept`: read by an earlier run;
    `has_failed`: could not be condensed. `coverage` is per document, this section included.
    """

    done: int
    sections: int
    points: tuple[Statement, ...]
    document: int
    first_page: int | None
    was_kept: bool = False
    coverage: tuple[Coverage, ...] = ()
    has_failed: bool = False
    blocks: tuple[int, int] | None = None
    """The first and the last block of it."""


@dataclass(frozen=True)
class Merging:
    """Points of several sections are being joined: `done` of `merges` so far."""

    done: int
    merges: int


@dataclass(frozen=True)
class PromptRead:
    """Share of a document read so far in one pass, 0 to 1."""

    share: float


@dataclass(frozen=True)
class Writing:
    """The write-up so far, as plain text without ids; `share` of what is expected is written.

    `attempt` 1: the first one was not good enough, and it is written once more from the beginning.
    """

    text: str
    share: float = 0.0
    attempt: int = 0


@dataclass(frozen=True)
class Summarized:
    """Final event: the summary, partial if it was stopped."""

    summary: Summary


@dataclass(frozen=True)
class ClaimsChecked:
    """A claim checker reads what was written: `done` of `claims`."""

    done: int
    claims: int


SummaryEvent = Planned | TaskRests | PromptRead | SectionRead | Merging | Writing | ClaimsChecked | Summarized


def writing_language(documents: Sequence[InputDocument], wish: SummaryOptions) -> str:
    """Return the chosen language, else that of most of the text; a code such as "de", "" if unknown."""
    if wish.language:
        return wish.language
    sizes: dict[str, int] = {}
    for document in documents:
        sizes[document.language] = sizes.get(document.language, 0) + sum(len(block.text) for block in document.blocks)
    # By amount of text, so that a German letter with an English annex is summarized in German.
    return max(sizes, key=lambda code: sizes[code], default="")


def unknown_languages(model: Path, documents: Sequence[InputDocument], wish: SummaryOptions) -> tuple[str, ...]:
    """Return the languages of documents and summary that the model wasn't trained for.

    Reads the file's header; unknown languages pass.
    """
    return not_made_for(model, [*(document.language for document in documents), writing_language(documents, wish)])


def not_made_for(model: Path, codes: Sequence[str]) -> tuple[str, ...]:
    """Return those of the languages a model wasn't trained for."""
    from app.features.models.model_languages import known_languages  # reads a catalog that a window need not wait for
    from app.language.language_names import base_code, find_language

    able = {base_code(code) for code in known_languages(model).languages}
    # A code without a name is a guess of the detector, not worth a warning.
    return tuple(dict.fromkeys(code for code in codes if find_language(code) and base_code(code) not in able))


KIND = "summary"
TASK = "summarize"

DRAFT = "draft"

LONGEST_TITLE = 120
# Programs write the name of the file, or their own, into the title.
_FILE_ENDINGS = (".doc", ".docx", ".dvi", ".htm", ".html", ".indd", ".odt", ".pdf", ".ppt", ".pptx", ".rtf", ".tex")
_NO_TITLE = re.compile(
    r"microsoft (word|powerpoint|excel)\b.*|(untitled|unbenannt|sans titre|document|dokument|title|titel|slide|folie|"
    r"powerpoint.presentation)[\W\d_]*"
)


@dataclass(frozen=True)
class StoredSummary(JobRow):
    """Row of the list.

    `sections` 0: not known yet. `is_together`: for a draft with several documents, one summary of all.
    """

    wish: SummaryOptions
    document_ids: tuple[int, ...]
    sections: int
    sections_read: int
    is_together: bool = True


@dataclass(frozen=True)
class Estimate:
    """Estimated cost of a summary.

    `seconds` None: no measurement yet for this model here. `tokens` and `sections` are totals; `by_document` are
    tokens per document. Without a model there are no sections, and tokens only if one was loaded anyway.
    """

    tokens: int | None
    sections: int
    seconds: float | None
    by_document: tuple[int, ...]
    is_elsewhere: bool = False
    """True if a server runs the model."""


def from_job(job: Job, document_ids: Sequence[int]) -> StoredSummary:
    sections, read = (int(job.progress.get(name, 0)) for name in ("sections", "sections_read"))
    wish = wish_from_json(job.spec.get("wish", {}))
    return StoredSummary(
        job.id, job.title, job.state, job.error, job.created_at, job.updated_at, wish, tuple(document_ids), sections,
        # Drafts of older programs don't have it; several documents were always together.
        read, bool(job.spec.get("is_together", True)),
    )  # fmt: skip


def title_of(document: StoredDocument) -> str:
    """Return the document's own title if it is a real one, else the file's name without suffix."""
    title = " ".join(str(document.info.get("title") or "").split())
    return title if _is_title(title) else PurePath(document.name).stem or document.name


_SEVERAL: CountedTexts = ("{title} and 1 more", "{title} and {count} more")


def joint_title(documents: Sequence[StoredDocument]) -> str:
    """Return the first document's title, and the number of the others."""
    first = title_of(documents[0]) if documents else ""
    return first if len(documents) < 2 else tr_count(*_SEVERAL, len(documents) - 1, title=first)


def _is_title(text: str) -> bool:
    """Return whether it is a real title: programs put file names and their own names there."""
    plain = text.casefold()
    return (
        3 <= len(text) <= LONGEST_TITLE
        and any(letter.isalpha() for letter in text)
        and not plain.endswith(_FILE_ENDINGS)
        and not _NO_TITLE.fullmatch(plain)
    )


def inputs_of(
    documents: DocumentLibrary, document_ids: Sequence[int], *, has_places: bool = True
) -> list[InputDocument]:
    """Read documents to summarize.

    Raises DocumentGone or DocumentUnreadable, naming the document. Without `has_places` blocks don't know which pages
    they run into; see `DocumentLibrary.read_texts`.
    """
    read = documents.read_blocks if has_places else documents.read_texts
    return [_input_document(documents, number, read) for number in document_ids]


def _input_document(
    documents: DocumentLibrary, document_id: int, read: Callable[[int], Sequence[Block]]
) -> InputDocument:
    if (document := documents.store.get(document_id)) is None:
        raise DocumentGone(f"document {document_id}")
    try:
        blocks = read(document_id)
    # The rows are there but can't be read: for the person the document is gone.
    except (KeyError, TypeError, ValueError) as error:
        raise DocumentGone(document.name) from error
    if not any(block.text.strip() for block in blocks):
        raise DocumentUnreadable(str(document.path), "no_text")
    info = document.info
    pages_without_text = tuple(info.get("pages_without_text", ()))
    pages = [PageRead(**fields) for fields in info.get("pages", ())]
    # A picture whose text was recognized isn't a gap any more.
    pictures = tuple(page.page for page in pages if page.is_picture and not (page.has_text or page.recognized))
    language = str(info.get("language") or "")
    return InputDocument(
        document_id, document.name, title_of(document), document.unit, document.pages, pages_without_text, language,
        blocks, pictures,
    )  # fmt: skip
