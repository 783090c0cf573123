"""Documents of the visible branch: which message has which, citation links, and the rows of chips that show them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel, QWidget

from app.core.events import Role
from app.core.lazy_dataclasses import dataclass
from app.features.chat.attached_documents import is_unanswered
from app.features.document_frames import page_mark, spoken_page
from app.features.retrieval.source_places import SourcePlace, named_pages, source_from_fields
from app.features.shown_document import TextHighlight
from app.features.survey.wanted import made_of
from app.store.attachments import Attachment, DocumentUse
from app.store.conversations import StoredMessage
from app.store.document_store import StoredDocument
from app.ui.document.document_chip import PageChip
from app.ui.i18n import tr
from app.ui.shared_labels import ANSWER_LINE, YOU_LINE
from app.ui.theme import Theme
from app.ui.widgets.labels import FlowingLabel, plain_caption, plain_tip
from app.ui.widgets.layouts import FlowLayout
from app.ui.widgets.picture_widgets import read_rows

if TYPE_CHECKING:
    from app.documents.blocks import Block
    from app.features.chat.answer_service import AnswerService
    from app.store.media_store import MediaUse

MOST_PLACES = 8
MOST_QUOTED = 28
MOST_RECALLED = 200
"""Most characters shown of a recalled turn, in one line."""


PlaceInDocument = tuple[int, TextHighlight]
"""A document's id, and a place in it."""


@dataclass(frozen=True)
class CitationLink:
    """Link to a place in a document: its label, its text for screen readers, and its target."""

    text: str
    spoken: str
    document_id: int
    mark: TextHighlight | None


@dataclass(frozen=True)
class AttachedDocument:
    """A document attached to a message, with its token count (None if not counted)."""

    attachment: Attachment
    document: StoredDocument
    tokens: int | None = None


@dataclass(frozen=True)
class RecalledTurn:
    """A recalled turn: the id of its first message, and its beginning in one line."""

    message_id: int
    words: str


def turns_of(recalled: Sequence[StoredMessage]) -> list[RecalledTurn]:
    """Group recalled messages into turns, each represented by its question if that is included."""
    found: list[RecalledTurn] = []
    for message in recalled:
        words = " ".join(message.text[: 4 * MOST_RECALLED].split())[:MOST_RECALLED]
        if message.role is Role.USER:
            found.append(RecalledTurn(message.id, tr(YOU_LINE, words=words)))
        elif not found or message.parent_id != found[-1].message_id:
            found.append(RecalledTurn(message.id, tr(ANSWER_LINE, words=words)))
    return found


class BranchDocuments:
    """Loads the documents of a whole branch at once, so that later queries need at most a short look into the store."""

    def __init__(self) -> None:
        self._talk: AnswerService | None = None
        self._of_message: dict[int, list[Attachment]] = {}
        self._around: list[int] = []
        """Ids of the documents of the chat's project."""
        self._cited_ids: list[int] = []
        """Ids of the documents that answers cite, those found by tools in other chats among them."""
        self._documents: dict[int, StoredDocument] = {}
        self._has_page: dict[int, bool] = {}
        self._counts: dict[int, int] = {}
        self._cited: list[tuple[int, str, int, TextHighlight]] = []
        """Citations of answers from whole documents: page, words of the line, document id and place."""
        self._cited_pages: frozenset[int] = frozenset()
        self._recalled: dict[int, list[RecalledTurn]] = {}
        """Forgotten turns that were added to a question's context again, by message id."""
        self.tokens: dict[int, int] = {}
        """Token counts of documents for the loaded model by id, as far as they are known."""
        self._media: dict[int, list[MediaUse]] = {}
        self._unseen: set[int] = set()
        """Ids of messages whose pictures the answering model did not see."""
        self.open_large: Callable[[Sequence[MediaUse], int], object] = lambda _uses, _first: None
        """Opens the large view of pictures, at the one with this index."""
        self.read_text: Callable[[Sequence[MediaUse]], object] | None = None
        """Reads the text of pictures into the current draft; None if no reader is available."""
        self.can_read_all: Callable[[], bool] = lambda: False
        """Returns whether the loaded model can answer from a whole document, section by section."""
        self.show_picture_menu: Callable[[Sequence[MediaUse], int, QPoint], object] = lambda _uses, _one, _at: None
        """Opens the context menu of a picture at a screen position."""

    def load(self, talk: AnswerService, messages: Sequence[StoredMessage]) -> None:
        """Load another branch. Raises storage errors."""
        # Another store, such as a temporary chat's: its numbers mean other documents.
        if talk is not self._talk:
            self._documents.clear()
            self._counts.clear()
            self.tokens.clear()
        self._talk, self._has_page = talk, {}
        self._of_message = talk.documents.attachments.of_messages([message.id for message in messages])
        self._media = talk.conversations.media.of_messages([message.id for message in messages])
        self._unseen = _unseen(messages, self._media) if self._media else set()
        chat = talk.conversations.get(messages[0].conversation_id) if messages else None
        self._around = talk.preambles.document_ids(chat)
        self._cited_ids = [source.document_id for message in messages for source in _places_of(message)]
        wanted = {*self._attached_ids, *self._cited_ids}
        # Documents never change, so what was read of them holds for other branches.
        known = {number: document for number, document in self._documents.items() if number in wanted}
        for number in wanted - set(known):
            if (document := talk.documents.store.get(number)) is not None:
                known[number] = document
        self._documents = known
        self._cited = [
            found for message in messages if made_of(message.sources) is not None for found in _cited(message)
        ]
        self._cited_pages = frozenset(page for page, *_ in self._cited)
        asked = [message for message in messages if message.recalled]
        here = {message.id: message for message in messages} if asked else {}
        self._recalled = {message.id: turns_of([here[n] for n in message.recalled if n in here]) for message in asked}

    @property
    def ids(self) -> list[int]:
        """Ids of the documents, those of the project first, then in order of attachment, then those only cited."""
        found = dict.fromkeys([*self._attached_ids, *self._cited_ids])
        return [number for number in found if number in self._documents]

    @property
    def _attached_ids(self) -> list[int]:
        attached = (attachment.document_id for found in self._of_message.values() for attachment in found)
        return [*self._around, *attached]

    def attached(self, message_id: int) -> list[AttachedDocument]:
        return [
            AttachedDocument(
                attachment, self._documents[attachment.document_id], self.tokens.get(attachment.document_id)
            )
            for attachment in self._of_message.get(message_id, ())
            if attachment.use is not DocumentUse.PASSAGES and attachment.document_id in self._documents
        ]

    def pictures(self, message_id: int) -> list[MediaUse]:
        return self._media.get(message_id, [])

    def are_unseen(self, message_id: int) -> bool:
        """Return whether the answering model did not see the message's pictures."""
        return message_id in self._unseen

    def read_preview(self, use: MediaUse) -> QImage:
        """Return the preview of a picture. Slow if it must be created again; raises as `MediaLibrary.preview_path`."""
        assert self._talk is not None
        return read_rows(self._talk.media.preview_path(use.media))

    def recalled(self, message_id: int) -> list[RecalledTurn]:
        """Return the forgotten turns that were added to a question's context again."""
        return self._recalled.get(message_id, [])

    def passages(self, message_id: int) -> list[tuple[StoredDocument, list[CitationLink], int]]:
        """Return, for each document with passages shown to the model, their links and the number of further places."""
        found = []
        for attachment in self._of_message.get(message_id, ()):
            if (document := self._documents.get(attachment.document_id)) is not None and attachment.passages:
                places, more = self._places_of_passages(document, attachment.passages)
                found.append((document, places, more))
        return found

    def is_unanswered(self, message_id: int) -> bool:
        """Return whether no passage seemed to answer a question."""
        return is_unanswered(self._of_message.get(message_id, ()))

    def is_all_shown(self, document: StoredDocument, message_id: int) -> bool:
        """Return whether the passages of a message make up the whole document."""
        shown = {n for a in self._of_message.get(message_id, ()) if a.document_id == document.id for n in a.passages}
        return len(shown) >= self._block_count(document.id)

    def _block_count(self, document_id: int) -> int:
        assert self._talk is not None
        if document_id not in self._counts:
            self._counts[document_id] = self._talk.documents.store.block_count(document_id)
        return self._counts[document_id]

    def sources(self, message: StoredMessage) -> list[CitationLink]:
        """Return links to the places that support an answer: distinct pages, in order, without those that it names
        itself.
        """
        # Of several documents it names no page for certain; one that a tool found nobody has seen in this chat.
        is_named = len(self._documents) > 1 or not self._documents.keys() <= {*self._attached_ids}
        said = set() if is_named else {page for _, _, page in named_pages(message.text) if self.has_page(page)}
        cited: dict[tuple[int, object], SourcePlace] = {}
        for source in _places_of(message):
            if source.document_id in self._documents and source.page not in said:
                # One link for a page; without pages, one for a block.
                cited.setdefault((source.document_id, source.page or f"block {source.block_id}"), source)
        shown = list(cited.values())[:MOST_PLACES]
        texts = self._quoted_texts(shown)
        places = []
        for source in shown:
            document, mark = (
                self._documents[source.document_id],
                TextHighlight(source.block_id, source.start, source.end),
            )
            text = texts.get((source.document_id, source.block_id), "")
            places.append(_place_at(document, source.page, mark, text, is_named=is_named))
        # Of several documents each is named; of one its name would be in every link.
        return places

    def has_page(self, page: int) -> bool:
        """Return whether any document has text on a page; a negative number means a paragraph, as in `named_pages`."""
        if page in self._cited_pages:
            return True
        # Documents without pages are cited by the numbers of their paragraphs.
        if page < 0:
            return any(not self._documents[number].unit and self._block_count(number) >= -page for number in self.ids)
        if page not in self._has_page:
            self._has_page[page] = any(self._has_blocks(number, page) for number in self.ids)
        return self._has_page[page]

    def find_cited(self, sentence: str, page: int) -> PlaceInDocument | None:
        """Return the place cited by an answer from whole documents, or of a paragraph number, without a search; None if
        unknown.
        """
        said = _without_markup(sentence)
        for cited_page, words, document_id, mark in self._cited:
            if cited_page == page and document_id in self._documents and (words in said or said in words):
                return document_id, mark
        if page < 0:
            without_pages = (number for number in self.ids if not self._documents[number].unit)
            return next(((number, TextHighlight(-page)) for number in without_pages), None)
        return None

    def page_search(self, sentence: str, page: int) -> Callable[[], PlaceInDocument | None]:
        """Return a search for the place on a page that matches a sentence best. Run it on a thread: a sheet may be one
        huge page.

        It uses the documents loaded now.
        """
        assert self._talk is not None
        store, ids = self._talk.documents.store, self.ids

        def find_place() -> PlaceInDocument | None:
            from app.features.retrieval.citations import source_on_page  # takes a moment to import

            found = [source_on_page(sentence, 0, page, number, store) for number in ids]
            sources = [source for source in found if source is not None]
            # The longest sentence found is the least by chance.
            best = max(sources, key=lambda source: source.end - source.start, default=None)
            return (best.document_id, TextHighlight(best.block_id, best.start, best.end)) if best is not None else None

        return find_place

    def _has_blocks(self, document_id: int, page: int) -> bool:
        document = self._documents[document_id]
        if self._talk is None or not document.unit or not 1 <= page <= document.pages:
            return False
        return self._talk.documents.store.has_page(document_id, page)

    def _places_of_passages(self, document: StoredDocument, passages: Sequence[int]) -> tuple[list[CitationLink], int]:
        """Return links to the first places, and the number of further ones, with one query for all."""
        assert self._talk is not None
        blocks = self._talk.documents.some_blocks(document.id, list(passages))
        places: dict[object, Block] = {}
        last = 0
        for block in blocks:
            # Without pages, blocks in a row are one place.
            key = block.page if document.unit else (block.id if block.id != last + 1 else None)
            last = block.id
            if key is not None:
                places.setdefault(key, block)
        shown = [
            _place_at(document, block.page, TextHighlight(block.id), block.text, is_named=False)
            for block in list(places.values())[:MOST_PLACES]
        ]
        return shown, len(places) - MOST_PLACES

    def _quoted_texts(self, sources: Sequence[SourcePlace]) -> dict[tuple[int, int], str]:
        """Return the texts of places without a page number, by document and block id."""
        assert self._talk is not None
        wanted: dict[int, list[int]] = {}
        for source in sources:
            if not page_mark(self._documents[source.document_id].unit, source.page):
                wanted.setdefault(source.document_id, []).append(source.block_id)
        # One query for each document.
        return {
            (number, block.id): block.text
            for number, ids in wanted.items()
            for block in self._talk.documents.some_blocks(number, sorted(ids))
        }


def _unseen(messages: Sequence[StoredMessage], media: Mapping[int, list[MediaUse]]) -> set[int]:
    asked = {message.id: message for message in messages if message.id in media}
    answers = [message for message in messages if message.parent_id in asked and message.stats is not None]
    # A model that sees counts tokens of pictures; without any it was shown none.
    return {answer.parent_id or 0 for answer in answers if answer.stats is not None and not answer.stats.media_tokens}


def _places_of(message: StoredMessage) -> Iterator[SourcePlace]:
    for fields in message.sources:
        # Others say how the answer was made, or are of a newer version of the program.
        with suppress(TypeError):
            yield source_from_fields(fields)


def _cited(message: StoredMessage) -> Iterator[tuple[int, str, int, TextHighlight]]:
    for source in _places_of(message):
        words = _without_markup(message.text[source.answer_start : source.answer_end])
        page = source.page if source.page is not None else -source.block_id
        yield page, words, source.document_id, TextHighlight(source.block_id, source.start, source.end)


def _without_markup(text: str) -> str:
    """Return the words without Markdown markup, in lower case, for comparison."""
    return " ".join(re.sub(r"[\\*_`]", "", text).split()).casefold()


def _place_at(
    document: StoredDocument, page: int | None, mark: TextHighlight, block_text: str, *, is_named: bool
) -> CitationLink:
    """Return a link labelled by its page, or in documents without pages by the first words of the place."""
    words = page_mark(document.unit, page) or _quoted(block_text[mark.start : mark.start + 4 * MOST_QUOTED])
    where = spoken_page(document.unit, page) if document.unit and page else words
    text = f"{_short_name(document.name)} {words}" if is_named else words
    return CitationLink(text, tr("{where} of {name}", where=where, name=document.name), document.id, mark)


def _quoted(text: str) -> str:
    text = " ".join(text.split())
    return f"“{text if len(text) <= MOST_QUOTED else text[:MOST_QUOTED].rsplit(' ', 1)[0] + '…'}”"


def _short_name(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:14]}…{name[-8:]}"


class SourceRow(QWidget):
    """Row of a text and page chips, for citations or passages; takes no room when empty."""

    def __init__(
        self, theme: Theme, parent: QWidget, open_place: Callable[[int, object], object], *, is_at_end: bool = False
    ) -> None:
        """Create the row; `open_place` gets the document's id of a pressed chip, and the `TextHighlight` in it."""
        super().__init__(parent)
        self._theme, self._open_place = theme, open_place
        self._shown: tuple[object, ...] = ()
        self._flow = theme.dress(FlowLayout(self, is_at_end=is_at_end), spacing=6)
        self.hide()

    def show_places(self, lead: str, places: Sequence[CitationLink], tail: str = "") -> None:
        """Show text, chips and a closing text; without places nothing."""
        shown = (lead, tuple(places), tail)
        # Chips that are made again would lose the focus, and the answer its layout.
        if shown == self._shown:
            return
        self._shown = shown
        self._flow.clear()
        self.setVisible(bool(places))
        if not places:
            return
        self._add_words(lead)
        for place in places:
            chip = PageChip(self._theme, plain_caption(place.text), place.spoken)
            chip.clicked.connect(lambda _=False, place=place: self._open_place(place.document_id, place.mark))
            self._flow.addWidget(chip)
            chip.show()
        if tail:
            self._add_words(tail)
        self.setAccessibleName(lead)
        self.setAccessibleDescription("")

    def show_words(self, words: str, tip: str) -> None:
        """Show a text without chips, with a tooltip that explains more."""
        shown = (words, tip)
        if shown == self._shown:
            return
        self._shown = shown
        self._flow.clear()
        self._add_words(words).setToolTip(plain_tip(tip))
        self.setAccessibleName(words)
        self.setAccessibleDescription(tip)
        self.setVisible(True)

    def height_for(self, width: int) -> int:
        """Return the height at a width; 0 while hidden."""
        return 0 if self.isHidden() else self._flow.heightForWidth(width)

    def _add_words(self, words: str) -> QLabel:
        label = self._theme.dress(FlowingLabel(words), font="small")
        self._flow.addWidget(label)
        label.show()
        return label
