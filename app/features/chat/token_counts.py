"""Count messages in the loaded model's tokens: every text is counted once, however often it is sent."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.core.errors.model_errors import NoModel
from app.core.events import Media, Message, Role
from app.core.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from app.core.events import CancelToken, ModelLoaded
    from app.engine.contract import Engine
    from app.engine.protocol import MediaCount

KEPT_COUNTS = 20_000
SAMPLE = "a"


@dataclass(frozen=True)
class TemplateOverhead:
    """Tokens a model's template adds: per prompt (with or without a system message) and per message."""

    bare: int
    with_system: int
    around: dict[Role, int]


class TokenCounts:
    """Counts texts by themselves and adds what the template puts around a message; from any thread.

    Sending the whole conversation to be counted before each turn would cost the first token of a long chat dear.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._counts: OrderedDict[tuple[str, int, int, int], int] = OrderedDict()
        self._template_overheads: dict[str, TemplateOverhead] = {}
        self._media: dict[tuple[object, ...], MediaCount] = {}
        self._counting = threading.Lock()

    def wait_for_model(self, cancel: CancelToken) -> None:
        """Block until a model is loaded, reloading the last one if it was lost, or until cancelled."""
        # Counting wakes a model that was put to sleep, or loads the last one again.
        if self._engine.loaded is None:
            self._engine.count_texts([SAMPLE], cancel=cancel)

    def require_model(self) -> ModelLoaded:
        """Return the loaded model. Raises NoModel."""
        if (loaded := self._engine.loaded) is None:
            raise NoModel
        return loaded

    def count_fixed(self, system: str, *, is_question: bool = False) -> int:
        """Count the tokens of system prompt and template overhead; `is_question`: it stands in the first question.

        Without a system prompt there may be carried instructions in its place: then the larger of both cases.
        """
        frame = self._template_overhead()
        if not system.strip():
            # What is carried along may take the system's place, so the larger of both.
            return max(frame.bare, frame.with_system)
        if is_question:
            # Blank lines before a word may be other tokens than those at an end.
            joined, word = self.count_texts([f"{system}\n\n{SAMPLE}", SAMPLE])
            return frame.bare + joined - word
        return frame.with_system + self.count_texts([system])[0]

    def count_messages(self, messages: Sequence[Message]) -> list[int]:
        """Count the tokens of each message in a prompt; an upper bound, as joined neighbours take less."""
        around = self._template_overhead().around
        counts = self.count_texts([message.text for message in messages])
        seen = self.count_media([media for message in messages for media in message.media])
        # Counted in one go and dealt out again, message by message.
        left = iter(seen)
        return [
            around[message.role] + count + sum(next(left).tokens for _ in message.media)
            for message, count in zip(messages, counts, strict=True)
        ]

    def count_media(self, media: Sequence[Media]) -> list[MediaCount]:
        """Count tokens of each picture or sound with the model's own encoder; cached."""
        if not media:
            return []
        with self._counting:
            model = self.require_model()
            # By projector and size, since the same picture takes other tokens with another one.
            keys = [
                (
                    model.path,
                    model.projector,
                    medium.id,
                    medium.width,
                    medium.height,
                    medium.seconds,
                    medium.most_tokens,
                )
                for medium in media
            ]
            missing = {key: medium for key, medium in zip(keys, media, strict=True) if key not in self._media}
            if missing:
                self._media.update(zip(missing, self._engine.count_media(list(missing.values())), strict=True))
            return [self._media[key] for key in keys]

    def count_texts(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text on its own."""
        with self._counting:
            return self._count_uncached(texts)

    def _count_uncached(self, texts: Sequence[str]) -> list[int]:
        model = self.require_model()
        # By hash and length, so that the texts themselves needn't be kept.
        keys = [(model.path, model.size_bytes, len(text), hash(text)) for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._counts}
        if missing:
            self._counts.update(zip(missing, self._engine.count_texts(list(missing.values())), strict=True))
        found = [self._counts[key] for key in keys]
        for key in keys:
            self._counts.move_to_end(key)
        # The least recently used go; counting again costs a call to the engine.
        while len(self._counts) > KEPT_COUNTS:
            self._counts.popitem(last=False)
        return found

    def _template_overhead(self) -> TemplateOverhead:
        model = self.require_model()
        key = f"{model.path}\0{model.size_bytes}"
        if key not in self._template_overheads:
            self._template_overheads[key] = self._measure_overhead()
        return self._template_overheads[key]

    def _measure_overhead(self) -> TemplateOverhead:
        """Measure the template's overhead with prompts of one-word messages, each longer by one."""
        word = self.count_texts([SAMPLE])[0]
        # Each prompt is longer by one message, so the differences are what stands around one.
        sizes = [self._engine.count_tokens(_sample_messages(roles)) for roles in ("u", "ua", "uau", "su")]
        # At least the word itself, where a template leaves a turn out.
        answer, question = max(word, sizes[1] - sizes[0]), max(word, sizes[2] - sizes[1])
        around = {Role.USER: question - word, Role.ASSISTANT: answer - word}
        return TemplateOverhead(max(0, sizes[0] - question), max(0, sizes[3] - question - word), around)


def _sample_messages(roles: str) -> list[Message]:
    names = {"u": Role.USER, "a": Role.ASSISTANT, "s": Role.SYSTEM}
    return [Message(names[role], SAMPLE) for role in roles]
