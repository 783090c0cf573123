"""Tools over the person's documents that other programs may call; all of them only read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.features.document_frames import page_mark
from app.features.tool_calls import describe_function
from app.features.tools.document_tools import DocumentTools
from app.features.tools.own_tools import READ_PAGES, SEARCH_DOCUMENTS
from app.features.tools.tool import IsStopped, Tool, ToolRefused, ToolResult

if TYPE_CHECKING:
    from app.features.document_library import DocumentLibrary
    from app.features.summarize.checks import CitedBlock
    from app.features.summarize.summary_result import ClaimAnchor, Summary
    from app.store.database import Database
    from app.store.document_store import StoredDocument

MOST_STATEMENTS = 8
"""Sentences of a claim that are looked up."""
MOST_CLAIM = 4_000
CANDIDATES = 12
"""Passages that a statement is compared with."""
LEAST_QUOTED = 3
"""Words of a quotation that is looked up letter by letter; fewer are a name."""
FOUND, DIFFERS, NEAREST = "Found", "Differs", "Nearest"
NOTHING_SAYS_SO = "Not found. No sentence of the documents says that."
NO_SENTENCES = "There are no sentences in it to choose from."
QUOTED_THERE, QUOTED_NEARLY, NOT_QUOTED = (
    "The quotation is there word for word.",
    "The quotation is there with slightly different letters.",
    "The quotation is not there.",
)
MORE_STATEMENTS = "({count} more sentences not compared)"
_QUOTATION = re.compile(r"[“„«\"]([^“”„«»\"]{8,400})[”“»\"]")
SUMMARIZE_DOCUMENT = describe_function(
    "summarize_document",
    "Returns the summary that was made of a document, or its key sentences, with their pages",
    "document",
    document="Its name",
)
VERIFY_CLAIM = describe_function(
    "verify_claim",
    "Finds the sentence of the user's documents that a claim rests on, and compares its numbers, names and quotations",
    "claim",
    claim={"type": "string", "maxLength": MOST_CLAIM},
    document="Name; default: all",
)


class LentDocuments(DocumentTools):
    """The documents that other programs may read, as long as `is_lent` says so; asked with every request."""

    def __init__(
        self,
        database: Database,
        library: DocumentLibrary,
        document_ids: Callable[[], Sequence[int]],
        is_lent: Callable[[], bool] = lambda: True,
    ) -> None:
        super().__init__(database, library, document_ids)
        self._is_lent = is_lent

    def list_tools(self) -> list[Tool]:
        """Return the tools, or none of them without the person’s grant."""
        if not self._is_lent():
            return []
        return [
            Tool(SEARCH_DOCUMENTS, self.search),
            Tool(READ_PAGES, self._read_named),
            Tool(SUMMARIZE_DOCUMENT, self.summarize),
            Tool(VERIFY_CLAIM, self.verify_claim),
        ]

    def _read_named(self, arguments: Mapping[str, Any], is_stopped: IsStopped) -> ToolResult:
        result = self.read_pages(arguments, is_stopped)
        # A part of the name is enough to ask, so the answer has all of it.
        return ToolResult(f"{self._find_document(arguments['document']).name}\n\n{result.text}")

    def summarize(self, arguments: Mapping[str, Any], is_stopped: IsStopped) -> ToolResult:
        """Return the stored summary of a document, else its key sentences. No model is asked."""
        from app.features.summarize.digest import digest_summary  # takes a moment to import
        from app.features.summarize.laid_out import summary_facts
        from app.features.summarize.summaries import find_summary
        from app.features.summarize.summary_result import SummaryOptions, inputs_of

        document = self._find_document(arguments["document"])
        if (summary := find_summary(self._database, document.id)) is None:
            inputs = inputs_of(self._library, [document.id], has_places=False)
            summary = digest_summary(inputs, SummaryOptions(), is_stopped)
        statements = "\n".join(_statement_lines(document, summary)).strip()
        return ToolResult("\n".join((document.name, *summary_facts(summary), "", statements or NO_SENTENCES)))

    def verify_claim(self, arguments: Mapping[str, Any], is_stopped: IsStopped) -> ToolResult:
        """Say of each sentence of a claim which sentence of the documents it rests on, what differs, or neither."""
        from app.language.sentences import split_sentences

        name, claim = arguments.get("document", ""), arguments["claim"][:MOST_CLAIM]
        documents = [self._find_document(name)] if name else self._documents()
        if not documents:
            raise ToolRefused("No documents are there to be searched.")
        statements = [claim[start:end].strip() for start, end in split_sentences(claim)]
        told = []
        for statement in statements[:MOST_STATEMENTS]:
            if is_stopped():
                break
            found = self._verify_statement(statement, documents)
            told.append(f"“{statement}”\n{found}" if len(statements) > 1 else found)
        if len(statements) > MOST_STATEMENTS:
            told.append(MORE_STATEMENTS.format(count=len(statements) - MOST_STATEMENTS))
        return ToolResult("\n\n".join(told))

    def _verify_statement(self, statement: str, documents: Sequence[StoredDocument]) -> str:
        from app.features.summarize.checks import verify_statement
        from app.features.summarize.summary_messages import check_words

        candidates = self._find_candidates(statement, documents)
        quotes = [quote for quote in _QUOTATION.findall(statement) if len(quote.split()) >= LEAST_QUOTED]
        quoted = [_compare_quotation(quote, candidates, documents) for quote in quotes]
        if supported := self._find_support(statement, documents, candidates):
            return "\n".join((f"{FOUND}. {supported}", *quoted))
        verdict = verify_statement(statement, (), nearby=candidates)
        if not verdict.anchors:
            return "\n".join((NOTHING_SAYS_SO, *quoted))
        anchor = verdict.anchors[0]
        document = documents[anchor.document]
        words = NOTHING_SAYS_SO
        if verdict.check.differs:
            words = f"{DIFFERS}. {check_words(verdict.check, page_mark(document.unit, anchor.page), document.unit)}"
        return "\n".join((words, f"{NEAREST}: {_anchor_words(document, anchor)}", *quoted))

    def _find_candidates(self, statement: str, documents: Sequence[StoredDocument]) -> list[CitedBlock]:
        from app.documents.blocks import block_from_fields
        from app.features.retrieval.joined import JOINED
        from app.features.retrieval.ranking import rank_blocks
        from app.features.summarize.checks import CitedBlock

        store = self._join(tuple(document.id for document in documents))
        places = {document.id: place for place, document in enumerate(documents)}
        found = list[CitedBlock]()
        for fields in rank_blocks(store, JOINED, statement)[:CANDIDATES]:
            document_id, number = store.origin_of(int(fields["id"]))
            block = block_from_fields({"heading_path": (), **fields, "id": number})
            found.append(CitedBlock(places[document_id], block))
        return found

    def _find_support(
        self, statement: str, documents: Sequence[StoredDocument], candidates: Sequence[CitedBlock]
    ) -> str:
        """Return the sentence that says what a statement says, with its place; "" if none does."""
        from app.features.retrieval.citations import sources_of
        from app.features.summarize.checks import verify_statement

        by_id = {document.id: document for document in documents}
        for place in sources_of(statement, list(by_id), self._library.store):
            (block,) = self._library.some_blocks(place.document_id, [place.block_id])
            text = block.text[place.start : place.end]
            return f"{_place_words(by_id[place.document_id], place.page, place.block_id)}: {_quote_line(text)}"
        # A short statement has too few words to be looked up by; then all of them have to be in one passage.
        for cited in candidates:
            verdict = verify_statement(statement, [cited], closely=True)
            if verdict.check.found and verdict.anchors and verdict.anchors[0].end:
                return _anchor_words(documents[cited.document], verdict.anchors[0])
        return ""


def _statement_lines(document: StoredDocument, summary: Summary) -> Iterator[str]:
    """Yield a summary's statements with the places they rest on, and what was not found there."""
    from app.features.summarize.summary_messages import check_words

    heading = ""
    for statement in summary.statements:
        if statement.group and statement.group != heading:
            heading = statement.group
            yield f"\n{heading}"
        places = dict.fromkeys(_place_mark(document, anchor.page, anchor.block_id) for anchor in statement.anchors)
        doubt = "" if statement.check.found else f" ({check_words(statement.check, '')})"
        yield f"- {' '.join(statement.text.split())} {' '.join(places)}{doubt}".rstrip()


def _compare_quotation(quote: str, candidates: Sequence[CitedBlock], documents: Sequence[StoredDocument]) -> str:
    """Look for a quotation in the passages, letter by letter first."""
    from app.features.summarize.checks import find_quote

    nearly = ""
    for cited in candidates:
        if (match := find_quote(quote, cited.block.text)) is None:
            continue
        where = _place_words(documents[cited.document], cited.block.page, cited.block.id)
        if match.is_exact:
            return f"{QUOTED_THERE} {where}"
        nearly = nearly or f"{QUOTED_NEARLY} {where}: {_quote_line(cited.block.text[match.start : match.end])}"
    return nearly or NOT_QUOTED


def _anchor_words(document: StoredDocument, anchor: ClaimAnchor) -> str:
    return f"{_place_words(document, anchor.page, anchor.block_id)}: {_quote_line(anchor.text)}"


def _quote_line(text: str) -> str:
    return f"“{' '.join(text.split())}”"


def _place_words(document: StoredDocument, page: int | None, block_id: int) -> str:
    return f"{document.name} {_place_mark(document, page, block_id)}"


def _place_mark(document: StoredDocument, page: int | None, block_id: int) -> str:
    # Without pages by its paragraph, as `search_documents` names it.
    return f"[{page_mark(document.unit, page) or f'¶ {block_id}'}]"
