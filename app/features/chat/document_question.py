"""Ask one question about documents outside any chat: the prompt as a chat builds it, and the answer's citations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.core.events import CancelToken, Message, Role
from app.core.lazy_dataclasses import dataclass, replace
from app.core.settings import Settings
from app.engine.contract import Engine
from app.features.chat.attached_documents import AttachedDocuments
from app.features.chat.prompt_builder import PromptBuilder
from app.features.document_library import DocumentLibrary
from app.features.projects import ChatPreambles
from app.features.retrieval.citations import sources_of
from app.features.retrieval.short_answers import sources_of_short_answer
from app.features.retrieval.support import AnswerSupport, support_of
from app.store.attachments import DocumentUse
from app.store.conversation_row import Conversation
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.document_store import StoredDocument


@dataclass(frozen=True)
class ShownPassage:
    """A block shown to the model."""

    document: StoredDocument
    page: int | None
    text: str


@dataclass(frozen=True)
class CitedSentence:
    """A sentence of a document that says what a sentence of the answer says."""

    document: StoredDocument
    page: int | None
    text: str


class DocumentQuestion:
    """Asks about documents in an in-memory database, without the user's chats and memories."""

    def __init__(
        self, database: Database, documents: DocumentLibrary, engine: Engine, settings: Callable[[], Settings]
    ) -> None:
        self._conversations, self._documents = Conversations(database), documents
        attached = AttachedDocuments(documents, self._conversations.media)
        preambles = ChatPreambles(database, documents, settings, is_temporary=True)
        self._prompts = PromptBuilder(engine, settings, attached, preambles)
        self._document_ids: list[int] = []
        self._question, self._question_id = "", 0

    def build_prompt(
        self,
        question: str,
        document_ids: Sequence[int],
        system: str,
        cancel: CancelToken,
        conversation: Conversation | None = None,
    ) -> list[Message]:
        """Return the prompt: whole documents while they fit, else the passages that fit the question best.

        `conversation` is one that sets something itself, such as an assistant's. Raises PromptTooLong.
        """
        attachments = self._documents.attachments
        kept = self._conversations.create()
        self._question_id = self._conversations.add_message(kept.id, None, Role.USER, question).id
        for document_id in document_ids:
            # Undecided, so that the prompt's builder chooses whole or passages, as in a chat.
            attachments.add_to_draft(kept.id, document_id, DocumentUse.UNDECIDED)
        attachments.move_to_message(kept.id, self._question_id)
        self._question, self._document_ids = question, list(document_ids)
        # An assistant's settings hold, its instructions are given apart.
        asked = replace(conversation or kept, system_prompt=system)
        branch = self._conversations.read_branch(kept.id)
        return self._prompts.build_fitting(asked, branch, cancel, "compact").messages(system)

    def shown_passages(self) -> list[ShownPassage]:
        """Return what the model was shown with the last question, in the documents' order."""
        found = []
        for attachment in self._documents.attachments.of_messages([self._question_id]).get(self._question_id, []):
            document = self._documents.document_of(attachment)
            if attachment.use is DocumentUse.WHOLE:
                blocks = self._documents.read_blocks(document.id)
            else:
                blocks = self._documents.some_blocks(document.id, list(attachment.passages))
            found += [ShownPassage(document, block.page, block.text) for block in blocks]
        return found

    def find_grounds(self, answer: str) -> tuple[list[CitedSentence], AnswerSupport]:
        """Return the sentences of the documents that an answer may come from, and whether it rests on them."""
        store = self._documents.store
        sources = sources_of(answer, self._document_ids, store)
        sources = sources or sources_of_short_answer(answer, self._question, self._document_ids, store)
        cited = []
        for source in sources:
            document = store.get(source.document_id)
            block = store.some_blocks(source.document_id, [source.block_id])[0]
            # A source has offsets in its block's text.
            assert document is not None
            cited.append(CitedSentence(document, source.page, str(block["text"])[source.start : source.end]))
        return cited, support_of(answer, sources)
