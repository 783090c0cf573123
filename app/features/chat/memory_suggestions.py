"""Suggest one fact about the person after a chat; nothing is stored before the person agrees.

Off by default. Models of two billion weights or fewer are not asked: they find facts that nobody stated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from app.core.events import CancelToken, Finished, FinishReason, Role, TextDelta
from app.features.chat.titles import LendEngine, ask_by_examples

if TYPE_CHECKING:
    from app.core.events import ModelLoaded
    from app.core.settings import Settings
    from app.engine.protocol import Ask
    from app.store.conversations import Conversations
    from app.store.projects import Memories

LEAST_WEIGHTS = 2e9
MOST_CHARACTERS, LEAST_CHARACTERS = 120, 8
MOST_QUOTED, QUOTED_MESSAGES = 400, 8
"""Characters of each of the person's messages, and how many of the last ones are read."""
ANSWER_TOKENS = 48
NOTHING = "NONE"
WISH = (
    "Below are messages that one person wrote to an assistant. Do they state a lasting fact about that person that is "
    "useful in later conversations: name, home, family, work, studies, languages, health, tastes? Wishes, tasks and "
    "questions are no facts. Answer with one short sentence in the person's own language that begins as the person "
    f"would say it, such as “I live in Cologne.” If there is no such fact, answer {NOTHING}."
)
EXAMPLES = (
    ("What goes well with rice?\n> I'm a vegetarian by the way, so no meat please", "I am a vegetarian."),
    ("Write a poem about my cat who sleeps all day", NOTHING),
    ("Wie sage ich ab? Ich unterrichte an einer Schule in Bremen und bin krank.", "Ich unterrichte in Bremen."),
    ("How do I sort a list in Python?\n> and in reverse?", NOTHING),
)
LEAST_STATED = 0.75
"""Of a fact's words stand in the person's messages, or the model made it up."""
MOST_KNOWN = 0.6
"""Of a fact's words stand in a memory already: then it says nothing new."""
_FIRST_PERSON = re.compile(
    r"(?:I|I['’]\w+|My|Ich|Mein\w*|Je|J['’].+|Mon|Ma|Mes|Soy|Yo|Mi|Vivo|Tengo|Eu|Sou|Meu|Minha|Io|Sono|Jestem|Mam|Mój|"
    r"Я|Мой|Моя|У меня|أنا|我|私|僕)\b|[我私僕أ]"
)

_SENTENCE = re.compile(r".{8,}?[.!。！](?=\s|$)")


class MemorySuggestions:
    """Find facts to suggest in idle time; from any thread."""

    def __init__(
        self, lend: LendEngine, conversations: Conversations, memories: Memories, settings: Callable[[], Settings]
    ) -> None:
        self._lend, self._conversations, self._memories, self._settings = lend, conversations, memories, settings

    def is_wanted(self, conversation_id: int, loaded: ModelLoaded | None) -> bool:
        """Return whether the person wants suggestions, the chat had none, and the loaded model can make one."""
        chat = self._settings().chat
        if not chat.memory or not chat.suggest_memories or loaded is None or not can_suggest(loaded):
            return False
        conversation = self._conversations.get(conversation_id)
        return conversation is not None and not conversation.was_offered_memory

    def find_fact(self, conversation_id: int, cancel: CancelToken) -> Iterator[str]:
        """Yield a fact that the person stated in a chat and that no memory has; nothing if there is none.

        Runs in the background and leaves the open chat's KV cache intact.
        """
        written = [
            message.text.strip()
            for message in self._conversations.read_branch(conversation_id)
            if message.role is Role.USER and message.text.strip()
        ][-QUOTED_MESSAGES:]
        with self._lend(cancel) as engine:
            if engine is None or engine.loaded is None or not written:
                return
            parts, is_whole = [], False
            for event in engine.answer(fact_ask(written, engine.loaded), cancel):
                if isinstance(event, TextDelta) and not event.thinking:
                    parts.append(event.text)
                elif isinstance(event, Finished):
                    is_whole = event.stats.finish_reason is FinishReason.STOP
        fact = clean_fact("".join(parts)) if is_whole else ""
        known = [memory.text for memory in self._memories.all()]
        if is_fact(fact, written, known) and not cancel.cancelled:
            yield fact


def can_suggest(loaded: ModelLoaded) -> bool:
    """Return whether a model is large enough to tell facts about the person from everything else."""
    from app.features.models.model_languages import weights_of  # knows the Hub's models: not before somebody is idle

    return loaded.can_chat and weights_of(loaded) > LEAST_WEIGHTS


def fact_ask(written: Sequence[str], loaded: ModelLoaded) -> Ask:
    """Build the request: four examples and the person's own messages, without anything the model wrote."""
    texts = [text[:MOST_QUOTED] for text in written]
    return ask_by_examples(WISH, EXAMPLES, texts, loaded, answer_tokens=ANSWER_TOKENS)


def clean_fact(answer: str) -> str:
    """Return the answer's first sentence without quotation marks; "" if the model found nothing."""
    line = " ".join(answer.strip().partition("\n")[0].strip(" \"'“”„«»*->").split())
    # A copied message goes on with what the person wanted.
    sentence = _SENTENCE.match(line)
    return "" if line.upper().startswith(NOTHING) else sentence[0] if sentence else line


def is_fact(fact: str, written: Sequence[str], known: Sequence[str]) -> bool:
    """Return whether a sentence is about the person, was stated by the person, and is new."""
    from app.language.words import word_stems

    if not LEAST_CHARACTERS <= len(fact) <= MOST_CHARACTERS or fact.endswith("?") or not _FIRST_PERSON.match(fact):
        return False
    words, stated = word_stems(fact), word_stems("\n".join(written))
    if not words or len(words & stated) < LEAST_STATED * len(words):
        return False
    return all(len(words & word_stems(memory)) < MOST_KNOWN * len(words) for memory in known)
