"""Quick questions: what to ask about a captured text, and how to save the chat."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.core.lazy_dataclasses import dataclass, replace
from app.language.language_names import english_name, other_than

if TYPE_CHECKING:
    from app.features.chat.answer_service import AnswerService

REQUESTS = {
    "summarize": "Summarize this text in a few sentences, in its own language.",
    "explain": "Explain this text in plain words.",
    "improve": "Write this text again in its own language, clearer and without mistakes. Answer with the text alone.",
}
TRANSLATE = "Translate this text into {language}. Answer with the translation alone."
BEGINNING = 2_000
"""Characters used to detect a text's language."""


@dataclass(frozen=True)
class TranslationRequest:
    """Prompt of a translation; `is_able`: the model knows both languages."""

    words: str
    is_able: bool


def translation_request(text: str, wanted: tuple[str, ...], model: Path | None) -> TranslationRequest:
    """Build the request to translate a text into the first wanted language that it isn't in.

    Takes a moment the first time.
    """
    from app.features.models.model_languages import can_translate, known_languages
    from app.language.language_detection import language_of

    source = language_of(text[:BEGINNING])
    target = other_than(source, wanted, ())
    is_able = can_translate(known_languages(model), source, target)
    return TranslationRequest(TRANSLATE.format(language=english_name(target)), is_able)


def keep_chat(talk: AnswerService, conversation_id: int, chat: AnswerService) -> int:
    """Store a temporary chat with all versions of its messages; return its new id.

    Raises DiskFull or FolderNotWritable.
    """
    if (conversation := talk.conversations.get(conversation_id)) is None:
        raise KeyError(conversation_id)
    # Citations name documents of the temporary store, which goes.
    messages = [replace(message, sources=()) for message in talk.conversations.whole.all_messages(conversation_id)]
    number = chat.conversations.whole.add_tree(conversation, messages)
    chat.conversations.update(number, titled_by="")  # nobody gave it a title
    return number
