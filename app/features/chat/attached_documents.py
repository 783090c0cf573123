"""Put documents into a chat's prompts: whole texts and chosen passages."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from app.core.events import Media, ModelLoaded, Role
from app.features.document_frames import (
    NO_LEADING,
    LeadingDocuments,
    passages_text,
    sort_leading,
    whole_text,
    with_question,
)
from app.features.document_library import DocumentLibrary
from app.features.media import PICTURE, plan_media
from app.store.attachments import Attachment, DocumentUse
from app.store.conversations import StoredMessage
from app.store.media_store import MediaStore, MediaUse

if TYPE_CHECKING:
    from app.features.retrieval.choosing import Count

DOCUMENTS_SHARE = 0.8
"""Of what a prompt may take, for whole documents: the rest is for the question and what follows."""
PASSAGES_SHARE = 0.4
"""Of what a prompt may take, for the passages of one question."""
KEPT_TEXTS = 32
NO_ANSWER = (
    "(No passage of {} seems to answer my question. If what is shown above does not answer it, say that you did not "
    "find it there.)"
)
"""Placed after the question: before it, models of up to 1.5 billion weights ignore it."""


class ShownMessage(NamedTuple):
    """A message's text, its pictures and sounds, and the documents that the text begins with."""

    text: str
    media: tuple[Media, ...]
    leading: LeadingDocuments = NO_LEADING


def can_take(model: ModelLoaded | None, kind: str) -> bool:
    """Return whether a model sees (`kind` is `PICTURE`) or hears; False without a model."""
    return model is not None and (model.sees if kind == PICTURE else model.hears)


def mention_unseen(unseen: Sequence[str]) -> str:
    """Tell the model which attachments it can't be shown, so that it doesn't invent their content."""
    if not unseen:
        return ""
    names = ", ".join(unseen)  # to a model, in every language
    return f"(Attached, but not visible or audible to you: {names}. Say so if it matters.)"


class AttachedDocuments:
    """Builds what prompts contain besides the written messages; each text is built once."""

    def __init__(self, documents: DocumentLibrary, media: MediaStore) -> None:
        self.documents, self.media = documents, media
        self._texts: OrderedDict[tuple[int, DocumentUse, tuple[int, ...]], str] = OrderedDict()

    def show_branch(self, branch: Sequence[StoredMessage], model: ModelLoaded | None) -> list[ShownMessage]:
        """Build the messages as the model sees them, with documents and the pictures it can take.

        Pictures in answers (drawn by another program's model) are left out.
        """
        # Answers show no pictures: another program's model drew them, and this one would take them for the person's.
        ids = [message.id for message in branch if message.role is Role.USER]
        attachments, uses = self.documents.attachments.of_messages(ids), self.media.of_messages(ids)
        return [
            self.show_message(message.text, attachments.get(message.id, ()), uses.get(message.id, ()), model)
            for message in branch
        ]

    def show_message(
        self, text: str, attachments: Sequence[Attachment], uses: Sequence[MediaUse], model: ModelLoaded | None
    ) -> ShownMessage:
        """Build one message as the model sees it."""
        # A model that isn't told of a picture makes one up.
        unseen = [use.name for use in uses if not can_take(model, use.media.kind)]
        text = "\n\n".join(part for part in (mention_unseen(unseen), text) if part)
        seen = tuple(plan_media(use) for use in uses if can_take(model, use.media.kind))
        whole = {attached.document_id: attached for attached in attachments if attached.use is DocumentUse.WHOLE}
        documents = sort_leading([self.documents.document_of(attachment) for attachment in whole.values()])
        begun = [self._attachment_text(whole[document.id]) for document in documents]
        others = [attachment for attachment in attachments if attachment.document_id not in whole]
        parts = [part for attachment in others if (part := self._attachment_text(attachment))]
        is_citing = any(self.documents.document_of(attachment).unit for attachment in attachments)
        is_late = bool(begun) and not documents[0].unit
        shown = with_question([*begun, *parts], text, is_citing=is_citing, is_late=is_late)
        leading = with_question(begun, "", is_citing=not is_late)
        # Behind the question, where small models heed it; before it they don't.
        shown += absence_note(self.documents, attachments) if is_unanswered(attachments) else ""
        return ShownMessage(shown, seen, LeadingDocuments(leading, tuple(document.id for document in documents)))

    def decide_uses(self, branch: Sequence[StoredMessage], room_tokens: Callable[[], int], count: Count) -> None:
        """Decide how to use the last question's undecided documents: whole while they fit, else as background.

        A message can be sent before its model is loaded, so this comes later.
        """
        asked = _to_question(branch)
        own = self.documents.attachments.of_messages([asked[-1].id]).get(asked[-1].id, []) if asked else []
        undecided = [attachment for attachment in own if attachment.use is DocumentUse.UNDECIDED]
        if not undecided:
            return
        room = room_tokens() - sum(
            self._count_tokens(attachment, count) for attachment in own if attachment.use is DocumentUse.WHOLE
        )
        for attachment in undecided:
            tokens = self._count_tokens(replace(attachment, use=DocumentUse.WHOLE), count)
            self.documents.attachments.set_use(
                # What doesn't fit becomes background, so that a message never waits for a decision.
                attachment.id,
                DocumentUse.WHOLE if tokens <= room else DocumentUse.BACKGROUND,
            )
            room -= tokens if tokens <= room else 0

    def choose_passages(
        self,
        branch: Sequence[StoredMessage],
        hidden: Sequence[int],
        prompt_tokens: int,
        count: Count,
        around: Sequence[int] = (),
        *,
        has_whole: bool = False,
    ) -> bool:
        """Choose passages for the last question if it needs some; return whether anything changed.

        Searched for each question: background documents, those shared with other chats (`around`) and not shown
        whole, and those whose message is hidden (`hidden`). Earlier choices stay while they fit. Also judges whether
        a passage seems to answer, unless a document is shown whole (`has_whole`: in the preamble): words in common
        know less than a model that reads all of it.
        """
        if not (branch := _to_question(branch)):
            return False
        question = branch[-1]
        attachments = self.documents.attachments.of_messages([message.id for message in branch])
        # Shared ones first, in the order in which the prompt has them.
        if not (wanted := list(dict.fromkeys([*around, *_searched_documents(branch, attachments, hidden)]))):
            return False
        # What knows words takes a moment to import, and is only now needed.
        from app.features.retrieval.absence import has_answer
        from app.features.retrieval.choosing import choose_passages
        from app.features.retrieval.ranking import MOST_RANKED
        from app.features.retrieval.scope import scope_of

        own = {attachment.document_id: attachment for attachment in attachments.get(question.id, ())}
        # ShownMessage whole, the model can see for itself that something isn't there.
        is_judged = not has_whole and not _is_any_whole(branch, attachments, hidden) and scope_of(question.text) is None
        changed = False
        # Each has the same part of the room.
        room = int(prompt_tokens * PASSAGES_SHARE) // max(1, len(wanted))
        for document_id in wanted:
            before = own.get(document_id)
            # The same passages keep the prompt's beginning the same, so they stay while they fit.
            if before is not None and before.passages and self._count_tokens(before, count) <= room:
                continue
            text = _searched_text(branch)
            by_model = self.documents.rank_by_model(document_id, text, MOST_RANKED)
            chosen = choose_passages(self.documents.store, document_id, text, room, count, by_model=by_model)
            is_part = len(chosen) < self.documents.store.block_count(document_id)
            judged = has_answer(self.documents.store, document_id, question.text) if is_judged and is_part else None
            if before is not None:
                # Unchanged passages aren't stored again, or the prompt would be fitted twice.
                if list(before.passages) != chosen:
                    self.documents.attachments.set_passages(before.id, chosen, has_answer=judged)
                    changed = True
            elif chosen:
                self.documents.attachments.add_passages(question.id, document_id, chosen, has_answer=judged)
                changed = True
        return changed

    def are_searched(self, branch: Sequence[StoredMessage], hidden: Sequence[int]) -> bool:
        """Return whether only passages of some document are shown."""
        return bool(
            _searched_documents(
                branch, self.documents.attachments.of_messages([message.id for message in branch]), hidden
            )
        )

    def documents_of(self, branch: Sequence[StoredMessage]) -> list[int]:
        """Return the ids of all documents on a branch, in order."""
        attachments = self.documents.attachments.of_messages([message.id for message in branch])
        return list(
            dict.fromkeys(
                attachment.document_id for message in branch for attachment in attachments.get(message.id, ())
            )
        )

    def _count_tokens(self, attachment: Attachment, count: Count) -> int:
        return count([self._attachment_text(attachment)])[0]

    def _attachment_text(self, attachment: Attachment) -> str:
        if attachment.use is DocumentUse.UNDECIDED or (
            attachment.use is not DocumentUse.WHOLE and not attachment.passages
        ):
            return ""
        key = (attachment.document_id, attachment.use, attachment.passages)
        if key not in self._texts:
            self._texts[key] = self._make_text(attachment)
            # Least recently used texts go; a document may take megabytes.
            while len(self._texts) > KEPT_TEXTS:
                self._texts.popitem(last=False)
        self._texts.move_to_end(key)
        return self._texts[key]

    def _make_text(self, attachment: Attachment) -> str:
        documents, document = self.documents, self.documents.document_of(attachment)
        if attachment.use is DocumentUse.WHOLE:
            return whole_text(document, documents.read_blocks(document.id))
        blocks = documents.some_blocks(document.id, list(attachment.passages))
        return passages_text(document, blocks, documents.store.block_count(document.id))


def absence_note(documents: DocumentLibrary, attachments: Sequence[Attachment]) -> str:
    """Return what follows a question that no passage seems to answer."""
    names = [documents.document_of(attachment).name for attachment in attachments if attachment.passages]
    return f"\n\n{NO_ANSWER.format(', '.join(names))}"  # to a model, in every language


def is_unanswered(attachments: Sequence[Attachment]) -> bool:
    """Return whether none of the documents searched for a message seemed to answer it."""
    searched = [attachment for attachment in attachments if attachment.passages]
    return bool(searched) and all(attachment.has_answer is False for attachment in searched)


def _is_any_whole(
    branch: Sequence[StoredMessage], attachments: dict[int, list[Attachment]], hidden: Sequence[int]
) -> bool:
    """Return whether the model is shown some document whole."""
    shown = [message.id for message in branch if message.id not in hidden]
    return any(attachment.use is DocumentUse.WHOLE for number in shown for attachment in attachments.get(number, ()))


def _to_question(branch: Sequence[StoredMessage]) -> list[StoredMessage]:
    """Return a branch up to the user's last message."""
    asked = [place for place, message in enumerate(branch) if message.role is Role.USER]
    return list(branch[: asked[-1] + 1]) if asked else []


def _searched_documents(
    branch: Sequence[StoredMessage], attachments: dict[int, list[Attachment]], hidden: Sequence[int]
) -> list[int]:
    """Return the ids of documents searched for passages, in order."""
    found = [
        attachment.document_id
        for message in branch
        for attachment in attachments.get(message.id, ())
        if attachment.use is DocumentUse.BACKGROUND or (attachment.use is DocumentUse.WHOLE and message.id in hidden)
    ]
    return list(dict.fromkeys(found))


def _searched_text(branch: Sequence[StoredMessage]) -> str:
    """Return the question, with the previous one if it is too short to stand alone ("And in 2024?")."""
    from app.features.retrieval.ranking import SHORT_QUESTION_WORDS  # takes a moment to import

    question = branch[-1].text
    # "And in 2024?" has no words to search by.
    if len(question.split()) >= SHORT_QUESTION_WORDS:
        return question
    before = next((message.text for message in reversed(branch[:-1]) if message.role == branch[-1].role), "")
    return f"{question} {before}"
