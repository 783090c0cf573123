"""What a chat's attachments mean for its prompts: the whole text of a message, and passages chosen for a question."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace

from app.core.events import Role
from app.features import passages
from app.features.document_prompt import passages_text, whole_text, with_question
from app.features.documents import Documents
from app.features.passages import Count
from app.store.conversations import Attachment, StoredMessage, Use

DOCUMENTS_SHARE = 0.8
"""Of what a prompt may take, for whole documents: the rest is for the question and what follows."""
PASSAGES_SHARE = 0.4
"""Of what a prompt may take, for the passages of one question."""
KEPT_TEXTS = 32
SHORT_QUESTION_WORDS = 4


class Attached:
    """Knows what stands in the prompt beside the words that were written; every text is made once."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self._texts: OrderedDict[tuple[int, Use, tuple[int, ...]], str] = OrderedDict()

    def texts(self, branch: Sequence[StoredMessage]) -> list[str]:
        """The messages as the model is shown them, documents included."""
        attachments = self.documents.attachments.of_messages([one.id for one in branch])
        return [self.message_text(one.text, attachments.get(one.id, ())) for one in branch]

    def message_text(self, text: str, attachments: Sequence[Attachment]) -> str:
        """A message with its documents."""
        parts = [part for one in attachments if (part := self._text(one))]
        is_citing = any(self.documents.of(one).unit for one in attachments)
        return with_question(parts, text, is_citing=is_citing)

    def decide(self, branch: Sequence[StoredMessage], room_tokens: Callable[[], int], count: Count) -> None:
        """Documents of the last question that nobody has looked at are shown whole while they fit, else as background.

        A message can be sent before the model that will answer is there to say what fits.
        """
        asked = _to_question(branch)
        own = self.documents.attachments.of_messages([asked[-1].id]).get(asked[-1].id, []) if asked else []
        undecided = [one for one in own if one.use is Use.UNDECIDED]
        if not undecided:
            return
        room = room_tokens() - sum(self._tokens(one, count) for one in own if one.use is Use.WHOLE)
        for one in undecided:
            tokens = self._tokens(replace(one, use=Use.WHOLE), count)
            self.documents.attachments.set_use(one.id, Use.WHOLE if tokens <= room else Use.BACKGROUND)
            room -= tokens if tokens <= room else 0

    def choose_passages(
        self, branch: Sequence[StoredMessage], hidden: Sequence[int], prompt_tokens: int, count: Count
    ) -> bool:
        """Chooses passages for the last question of a branch where it needs some; whether anything changed.

        Documents used as background are searched for each question below them; one that was shown whole is, once its
        message has left the model's memory (`hidden`). What was chosen before stays while it still fits.
        """
        branch = _to_question(branch)
        if not branch:
            return False
        question = branch[-1]
        attachments = self.documents.attachments.of_messages([one.id for one in branch])
        wanted = _searched(branch, attachments, hidden)
        own = {one.document_id: one for one in attachments.get(question.id, ())}
        changed = False
        room = int(prompt_tokens * PASSAGES_SHARE) // max(1, len(wanted))
        for document_id in wanted:
            before = own.get(document_id)
            if before is not None and before.passages and self._tokens(before, count) <= room:
                continue
            text = _searched_text(branch)
            chosen = passages.choose(self.documents.store, document_id, text, room, count)
            if before is not None:
                if list(before.passages) != chosen:
                    self.documents.attachments.set_passages(before.id, chosen)
                    changed = True
            elif chosen:
                self.documents.attachments.add_passages(question.id, document_id, chosen)
                changed = True
        return changed

    def documents_of(self, branch: Sequence[StoredMessage]) -> list[int]:
        """The ids of all documents that messages of a branch have, in order."""
        attachments = self.documents.attachments.of_messages([one.id for one in branch])
        return list(dict.fromkeys(one.document_id for message in branch for one in attachments.get(message.id, ())))

    def _tokens(self, attachment: Attachment, count: Count) -> int:
        return count([self._text(attachment)])[0]

    def _text(self, attachment: Attachment) -> str:
        if attachment.use is Use.UNDECIDED or (attachment.use is not Use.WHOLE and not attachment.passages):
            return ""
        key = (attachment.document_id, attachment.use, attachment.passages)
        if key not in self._texts:
            self._texts[key] = self._made(attachment)
            while len(self._texts) > KEPT_TEXTS:
                self._texts.popitem(last=False)
        self._texts.move_to_end(key)
        return self._texts[key]

    def _made(self, attachment: Attachment) -> str:
        documents, document = self.documents, self.documents.of(attachment)
        if attachment.use is Use.WHOLE:
            return whole_text(document, documents.blocks(document.id))
        blocks = documents.some_blocks(document.id, list(attachment.passages))
        return passages_text(document, blocks, documents.store.block_count(document.id))


def _to_question(branch: Sequence[StoredMessage]) -> list[StoredMessage]:
    """A branch up to the last thing the person said."""
    asked = [place for place, one in enumerate(branch) if one.role is Role.USER]
    return list(branch[: asked[-1] + 1]) if asked else []


def _searched(
    branch: Sequence[StoredMessage], attachments: dict[int, list[Attachment]], hidden: Sequence[int]
) -> list[int]:
    """The documents in which passages are looked for, in their order."""
    found = [
        one.document_id
        for message in branch
        for one in attachments.get(message.id, ())
        if one.use is Use.BACKGROUND or (one.use is Use.WHOLE and message.id in hidden)
    ]
    return list(dict.fromkeys(found))


def _searched_text(branch: Sequence[StoredMessage]) -> str:
    """The question, with the one before where it is too short to say what it is about ("And in 2024?")."""
    question = branch[-1].text
    if len(question.split()) >= SHORT_QUESTION_WORDS:
        return question
    before = next((one.text for one in reversed(branch[:-1]) if one.role == branch[-1].role), "")
    return f"{question} {before}"
