"""Tools over the person's documents: search passages, read pages, list and count over a whole document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import groupby
from typing import TYPE_CHECKING, Any

from app.documents.blocks import Block, as_markdown, block_from_fields, block_markdown
from app.features.document_frames import page_mark
from app.features.retrieval.question_scope import QuestionScope, WantedScope
from app.features.retrieval.source_places import SourcePlace
from app.features.tools.tool import IsStopped, ToolRefused, ToolResult

if TYPE_CHECKING:
    from app.features.document_library import DocumentLibrary
    from app.features.retrieval.joined import JoinedDocuments
    from app.features.survey.written_answer import WrittenAnswer
    from app.store.database import Database
    from app.store.document_store import StoredDocument

NOTHING_FOUND = "Nothing was found. Search with other words, or read pages."
NO_ANSWER = "No passage seems to answer that. These are the nearest:"
MOST_HITS = 6
MOST_PARAGRAPHS = 8
"""Shown as one place, where a document has no pages."""
MOST_NAMES = 20
"""Documents named in a sentence."""
ALL = "all"
"""What models give as a document to search them all, since they are told that it is the default."""
BELOW_HEADING = 3
"""Blocks shown of a heading that fits, itself included: it says nothing without what stands below it."""
KINDS = tuple(
    kind.value for kind in QuestionScope if kind not in (QuestionScope.ABOUT, QuestionScope.PAGES, QuestionScope.LIST)
)
"""What can be listed exactly, without a model."""

LetOut = Callable[[Sequence[int]], object]
"""Returns once these documents may go where the model runs; raises DocumentStaysHere."""


class DocumentTools:
    """Tools over the documents that a chat may use; `add_document` adds one that was read meanwhile."""

    def __init__(
        self,
        database: Database,
        library: DocumentLibrary,
        document_ids: Callable[[], Sequence[int]],
        let_out: LetOut = lambda ids: None,
    ) -> None:
        self._database, self._library, self._document_ids, self._let_out = database, library, document_ids, let_out
        self._added: list[int] = []
        self._joined: tuple[tuple[int, ...], JoinedDocuments] | None = None

    def add_document(self, document: StoredDocument) -> None:
        self._added.append(document.id)

    def search(self, arguments: Mapping[str, Any], is_stopped: IsStopped) -> ToolResult:
        """Find the passages that fit a question best, in all documents or in one."""
        from app.features.retrieval.absence import has_answer  # with the first search
        from app.features.retrieval.joined import JOINED
        from app.features.retrieval.ranking import rank_blocks

        name = arguments.get("document", "")
        documents = [self._find_document(name)] if name.strip().casefold() not in ("", ALL) else self._documents()
        if not documents:
            raise ToolRefused("No documents are there to be searched.")
        self._let_out([document.id for document in documents])
        store = self._join(tuple(document.id for document in documents))
        by_id = {document.id: document for document in documents}
        hits = [int(fields["id"]) for fields in rank_blocks(store, JOINED, arguments["query"])]
        # Something is always nearest by meaning; only a clear no is told.
        text = f"{NO_ANSWER}\n\n" if has_answer(store, JOINED, arguments["query"]) is False else ""
        places = list[SourcePlace]()
        shown: set[int] = set()
        for hit in hits:
            if len(places) == MOST_HITS or is_stopped():
                break
            if hit not in shown:
                blocks = self._passage_of(store, hit)
                shown.update(range(hit, hit + len(blocks)))
                document = by_id[store.origin_of(hit)[0]]
                begin = len(text)
                text += f"{_place_words(document, blocks[0])}\n{_text_of(blocks)}\n\n"
                places.append(_place_of(document, blocks[0], begin, len(text.rstrip())))
        if not places:
            return ToolResult(NOTHING_FOUND)
        more = len(hits) - len(shown)
        note = f"({more:,} more passages not shown)" if more > 0 else ""
        return ToolResult(f"{text}{note}".rstrip(), places=tuple(places))

    def read_pages(self, arguments: Mapping[str, Any], _is_stopped: IsStopped) -> ToolResult:
        """Return the text of some pages, or of numbered paragraphs where there are none."""
        document = self._find_document(arguments.get("document", ""))
        first = int(arguments.get("first_page", 1))
        last = int(arguments.get("last_page", first))
        self._let_out([document.id])
        unit = document.unit or "paragraph"
        count = document.pages if document.unit else self._library.store.block_count(document.id)
        if not 1 <= first <= last or first > count:
            raise ToolRefused(f"{document.name} has the {unit}s 1 to {count}.")
        blocks = [
            block
            for block in self._library.read_texts(document.id)
            if first <= ((block.page or 0) if document.unit else block.id) <= last
        ]
        result = pages_result(document, blocks)
        if not result.text:
            raise ToolRefused(f"There is no text on {unit} {first}" + (f" to {last}." if last > first else "."))
        return result

    def list_all(self, arguments: Mapping[str, Any], is_stopped: IsStopped) -> ToolResult:
        """List everything of a kind in a whole document, with its count and places."""
        written = self._survey(arguments, is_stopped)
        return ToolResult(written.text, places=written.sources)

    def count_all(self, arguments: Mapping[str, Any], is_stopped: IsStopped) -> ToolResult:
        """Count everything of a kind in a whole document, and say how that was counted."""
        counted, *_, told = self._survey(arguments, is_stopped).text.split("\n\n")
        return ToolResult(f"{counted}\n{told}")

    def _survey(self, arguments: Mapping[str, Any], is_stopped: IsStopped) -> WrittenAnswer:
        from app.features.summarize.summary_result import inputs_of  # takes a moment to import
        from app.features.survey.program_finds import find_all
        from app.features.survey.written_answer import write_answer

        document = self._find_document(arguments.get("document", ""))
        scope = WantedScope(QuestionScope(arguments["kind"]), " ".join(str(arguments.get("words", "")).split()))
        if scope.wanted is QuestionScope.MENTIONS and not scope.words:
            raise ToolRefused("For mentions give the words that are to be found.")
        self._let_out([document.id])
        summary = find_all(inputs_of(self._library, [document.id], has_places=False), scope, is_stopped)
        return write_answer(summary, scope)

    def _documents(self) -> list[StoredDocument]:
        ids = dict.fromkeys((*self._document_ids(), *self._added))
        return [document for number in ids if (document := self._library.store.get(number)) is not None]

    def _find_document(self, name: str) -> StoredDocument:
        """Find a document by its name or part of it; the only one by none. Raises ToolRefused with the names."""
        if not (documents := self._documents()):
            raise ToolRefused("There are no documents in this chat.")
        wanted = name.strip().casefold()
        names = {document.name.casefold(): document for document in reversed(documents)}
        if wanted in names:
            return names[wanted]
        fitting = [document for shown, document in names.items() if wanted in shown]
        if len(fitting) == 1:
            return fitting[0]
        near = get_close_matches(wanted, names, 1, 0.8) if wanted and not fitting else []
        if near:
            return names[near[0]]
        listed = ", ".join(document.name for document in documents[:MOST_NAMES])  # to a model, in every language
        more = f" and {len(documents) - MOST_NAMES:,} more" if len(documents) > MOST_NAMES else ""
        raise ToolRefused(
            f"Say which document: {listed}{more}." if not wanted else f"No document is called {name}: {listed}{more}."
        )

    def _join(self, ids: tuple[int, ...]) -> JoinedDocuments:
        """Return these documents as one, the same as before for the same ones: it keeps their index."""
        from app.features.retrieval.joined import JoinedDocuments

        if self._joined is None or self._joined[0] != ids:
            self._joined = ids, JoinedDocuments(self._database, ids)
        return self._joined[1]

    @staticmethod
    def _passage_of(store: JoinedDocuments, hit: int) -> list[Block]:
        """Return a hit with what belongs to it, numbered as in its document."""
        from app.features.retrieval.joined import JOINED

        fields = store.some_blocks(JOINED, list(range(hit, hit + BELOW_HEADING)))
        document_id, number = store.origin_of(hit)
        blocks = [block_from_fields({"heading_path": (), **row}) for row in fields if _is_of(store, row, document_id)]
        count = BELOW_HEADING if fields[0]["kind"] == "heading" else 1
        return [replace(block, id=number + place) for place, block in enumerate(blocks[:count])]


def pages_result(document: StoredDocument, blocks: Sequence[Block], head: str = "") -> ToolResult:
    """Return blocks as text with marks of their pages behind `head`, and a place for each page."""
    text, places = head, list[SourcePlace]()
    for run in _runs_of_pages(blocks):
        begin = len(text)
        text += "".join(as_markdown(run, document.unit)).rstrip() + "\n\n"
        places.append(_place_of(document, run[0], begin, len(text) - 2))
    return ToolResult(text.rstrip(), places=tuple(places), has_pages=True)


def _runs_of_pages(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Yield the blocks of each page with text; without pages, a few paragraphs at a time."""
    written = (block for block in blocks if block.text.strip())
    for _, run in groupby(written, key=lambda block: block.page or -1 - block.id // MOST_PARAGRAPHS):
        yield list(run)


def _place_words(document: StoredDocument, block: Block) -> str:
    place = page_mark(document.unit, block.page)
    # Without pages by its paragraph, by which `read_pages` counts then.
    mark = f"[{place}]" if place else f"[¶ {block.id}]"
    path = " > ".join(block.heading_path)
    return " ".join(filter(None, (document.name, mark, f"({path})" if path else "")))


def _text_of(blocks: Sequence[Block]) -> str:
    return "\n".join(block_markdown(block) for block in blocks)


def _place_of(document: StoredDocument, block: Block, begin: int, end: int) -> SourcePlace:
    page = block.page if document.unit else None
    return SourcePlace(begin, end, document.id, block.id, 0, len(block.text), page, is_named=True)


def _is_of(store: JoinedDocuments, fields: Mapping[str, Any], document_id: int) -> bool:
    return store.origin_of(int(fields["id"]))[0] == document_id
