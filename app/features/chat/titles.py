"""Titles of chats: the first words that say something, and what a model that is large enough makes of the beginning.

What smaller models write is about something else more often than not (`make bench ONLY=titles`), so they are not asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import TYPE_CHECKING

from app.core.events import CancelToken, Finished, FinishReason, Message, Role, TextDelta
from app.core.paths import resource_path
from app.features.chat.chat_options import template_variables
from app.language.language_names import WITHOUT_SPACES
from app.store.conversations import MessageState

if TYPE_CHECKING:
    from app.core.events import ModelLoaded
    from app.core.settings import Settings
    from app.engine.contract import Engine
    from app.engine.protocol import Ask
    from app.store.conversations import Conversations, StoredMessage

LendEngine = Callable[[CancelToken], AbstractContextManager["Engine | None"]]
TITLE_CHARACTERS = 48
OPENINGS = "openings.json"
"""Openings that say nothing about the topic, by language."""
_AROUND = " \t\r\n,.;:!?¡¿…,。，、！？：；،؟—–-*#>"
"""Characters between an opening and the topic."""
MOST_OPENINGS = 6

LEAST_WEIGHTS = 5e8
"""Smallest model asked for titles, as for summaries: `app.features.summarize.method.method_for`."""
MOST_WORDS, MOST_SIGNS = 8, 20
"""Of a title in a script without spaces."""
LEAST_SHARED = 1 / 3
"""Of a title's words are in the chat, or it is about something else."""
ANSWER_TOKENS, THINKING_TOKENS = 40, 512
MOST_QUOTED = 600
"""Characters of each message that a title is made of."""
QUOTED_MESSAGES = 4
WISH = "Write a title of 2 to 6 words, in the same language, for a chat that begins like this:"
EXAMPLES = (
    ("Can you tell me how I boil an egg so that the yolk stays soft?", "Boiling a soft egg"),
    ("Hallo, wann sollte man Rosen am besten schneiden und wie?", "Rosen richtig schneiden"),
)
_LABEL = re.compile(r"^(?:title|titel|titre|título|titolo|标题|العنوان)\s*[:：-]\s*", re.IGNORECASE)
_MARKS = " \t*_`#>~\"'“”„‘’«»‹›「」『』《》[]().。!,;:"


_INLINE = re.compile(r"(\*\*|~~|`)(?=\S)(.+?)(?<=\S)\1|(?<![\w*])\*(?=\S)([^*]+?)(?<=\S)\*(?![\w*])")
"""Bold, struck out, code and italics; names with underscores are no marks."""


def first_words(text: str, characters: int = TITLE_CHARACTERS) -> str:
    """Make a title from a question without its empty opening, cut at a word."""
    line = without_marks(" ".join(text.split()))
    if (said := without_opening(line)) != line:
        # What remains becomes a title: capital in front, no question mark behind.
        said = (said[:1].upper() + said[1:]).rstrip(" ?？؟.!")
    if len(said) <= characters:
        return said
    cut = said[:characters]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut).rstrip(" ,.;:") + "…"


def without_opening(line: str) -> str:
    """Drop greetings and the like from a line; return all of it if little would be left."""
    rest = line
    # Several in a row: "Hello! I have a question, please: ..."
    for _ in range(MOST_OPENINGS):
        if (found := _opening_phrases().match(rest.lstrip(_AROUND))) is None:
            break
        rest = rest.lstrip(_AROUND)[found.end() :].lstrip(_AROUND)
    # Too little left says less than the greeting does.
    is_enough = len(WITHOUT_SPACES.findall(rest)) > 0 and len(rest) > 2
    return rest if len(rest.split()) > 1 or is_enough else line


@lru_cache(maxsize=1)
def _opening_phrases() -> re.Pattern[str]:
    found: dict[str, list[str]] = json.loads(resource_path(OPENINGS).read_text("utf-8"))
    phrases = {phrase for row in found.values() for phrase in row}
    patterns = [
        re.escape(phrase) if WITHOUT_SPACES.search(phrase) else rf"{re.escape(phrase)}(?![\w'’-])"
        # Longer phrases first, or "good" would hide "good morning".
        for phrase in sorted(phrases, key=len, reverse=True)
    ]
    return re.compile("|".join(patterns), re.IGNORECASE)


class ChatTitles:
    """Give chats titles in idle time; from any thread. Titles written by the user are never changed."""

    def __init__(self, lend: LendEngine, conversations: Conversations, settings: Callable[[], Settings]) -> None:
        self._lend, self._conversations, self._settings = lend, conversations, settings

    def is_wanted(self, conversation_id: int, loaded: ModelLoaded | None) -> bool:
        """Return whether a chat has only its first words as title, and the loaded model could find a better one."""
        if not self._settings().chat.titles or loaded is None or not can_title(loaded):
            return False
        conversation = self._conversations.get(conversation_id)
        # Nobody gave it a title yet: neither a person nor a model.
        return conversation is not None and not conversation.titled_by

    def make_title(self, conversation_id: int, cancel: CancelToken) -> Iterator[str]:
        """Yield the chat's new title; nothing if none was found, or there was no room beside the chat's context.

        Runs in the background and leaves the open chat's KV cache intact.
        """
        with self._lend(cancel) as engine:
            if engine is not None:
                yield from self._find_title(engine, conversation_id, cancel)

    def _find_title(self, engine: Engine, conversation_id: int, cancel: CancelToken) -> Iterator[str]:
        loaded = engine.loaded
        said = [
            message for message in self._conversations.read_branch(conversation_id) if message.text and is_over(message)
        ]
        # Without an answer there is only the question, which is the title already.
        if loaded is None or not can_title(loaded) or not any(message.role is Role.ASSISTANT for message in said):
            return
        said, parts = said[:QUOTED_MESSAGES], []
        for event in engine.answer(title_ask(said, loaded), cancel):
            if isinstance(event, TextDelta) and not event.thinking:
                parts.append(event.text)
            elif isinstance(event, Finished):
                line, *more = "".join(parts).strip().split("\n", 1)
                # at the token limit without a line break, the title may be cut in the middle
                title = clean_title(line) if more or event.stats.finish_reason is FinishReason.STOP else ""
                # The person may have begun to write meanwhile, which cancels.
                if is_title(title, "\n".join(message.text for message in said)) and not cancel.cancelled:
                    yield from self._keep_title(conversation_id, title)

    def _keep_title(self, conversation_id: int, title: str) -> Iterator[str]:
        """Store the title, unless the user wrote one meanwhile."""
        if self._conversations.set_title_of_model(conversation_id, title):
            yield title


def can_title(loaded: ModelLoaded) -> bool:
    """Return whether a model is large enough to find a better title than the first words."""
    from app.features.models.model_languages import (
        weights_of,  # with what is known of the Hub: not before somebody is idle
    )

    return loaded.can_chat and weights_of(loaded) > LEAST_WEIGHTS


def is_over(message: StoredMessage) -> bool:
    return message.state is not MessageState.WRITING


def title_ask(said: Sequence[StoredMessage], loaded: ModelLoaded) -> Ask:
    """Build the request: two examples and the chat's beginning."""
    texts = [message.text[:MOST_QUOTED] for message in said]
    return ask_by_examples(WISH, EXAMPLES, texts, loaded, answer_tokens=ANSWER_TOKENS)


def ask_by_examples(
    wish: str, examples: Sequence[tuple[str, str]], texts: Sequence[str], loaded: ModelLoaded, *, answer_tokens: int
) -> Ask:
    """Build a request of idle time about texts, quoted line by line after examples with their answers.

    The chat's instructions, which would interfere, are not in it.
    """
    from app.core.settings import ChatDefaults, Settings
    from app.engine.protocol import Ask, Sampling  # the wire to the engine is not needed before the window is seen

    quoted = "\n".join(f"> {' '.join(text.split())}" for text in texts)
    turns = [(f"{wish}\n\n> {asked}", answer) for asked, answer in examples]
    messages = [
        Message(role, text) for turn in turns for role, text in zip((Role.USER, Role.ASSISTANT), turn, strict=True)
    ]
    # Such models think first whatever is wished, so their answer needs more tokens.
    thinks = loaded.thinking in ("always", "effort")
    return Ask(
        [*messages, Message(Role.USER, f"{wish}\n\n{quoted}")],
        max_tokens=answer_tokens,
        task_sampling=Sampling(temperature=0.0),
        template_variables=template_variables(None, Settings(chat=ChatDefaults(thinking="off")), loaded),
        thinking_budget=THINKING_TOKENS if thinks else -1,
        background=True,
        # Gives way where the chat's own context would have to leave for it.
        modest=True,
    )


def clean_title(line: str) -> str:
    """Strip what models put around a title: label, quotation marks, Markdown, full stop."""
    line = without_marks(line).strip(_MARKS)
    # Marks may stand inside the label's quotation as well.
    return " ".join(_LABEL.sub("", line).strip(_MARKS).split())


def without_marks(line: str) -> str:
    return _INLINE.sub(lambda found: found[2] or found[3], line)


def is_title(title: str, said: str) -> bool:
    """Return whether a title is usable: short, in the chat's script, with words of the chat."""
    from app.language.language_detection import scripts_differ
    from app.language.words import word_stems

    signs = sum(map(len, WITHOUT_SPACES.findall(title)))
    is_short = signs <= MOST_SIGNS and len(title.split()) <= MOST_WORDS and len(title) <= 2 * TITLE_CHARACTERS
    # A title in another script belongs to another chat.
    if not title or not is_short or scripts_differ(title, said):
        return False
    words = word_stems(title)
    # A third of its words must come from the chat, or the model made it up.
    return bool(words) and len(words & word_stems(said)) >= LEAST_SHARED * len(words)
