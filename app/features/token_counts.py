"""How many tokens messages take for the loaded model: every text is counted once, however often it is sent."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from app.core.errors import NoModel
from app.core.events import CancelToken, Message, ModelLoaded, Role
from app.engine.client import EngineClient

KEPT_COUNTS = 20_000
SAMPLE = "a"


@dataclass(frozen=True)
class Frame:
    """What a model's template adds: once to a prompt, without a system message or with one, and around a message."""

    bare: int
    with_system: int
    around: dict[Role, int]


class TokenCounts:
    """Counts texts by themselves and adds what the template puts around a message; from any thread.

    Sending the whole conversation to be counted before each turn would cost the first token of a long chat dear.
    """

    def __init__(self, engine: EngineClient) -> None:
        self._engine = engine
        self._counts: OrderedDict[bytes, int] = OrderedDict()
        self._frames: dict[str, Frame] = {}
        self._counting = threading.Lock()

    def wait_for_model(self, cancel: CancelToken) -> None:
        """Returns when a model is there, loading the last one again where it was lost, or when it was cancelled."""
        if self._engine.loaded is None:
            self._engine.count_texts([SAMPLE], cancel=cancel)

    def model(self) -> ModelLoaded:
        """The loaded model. Raises NoModel."""
        loaded = self._engine.loaded
        if loaded is None:
            raise NoModel
        return loaded

    def fixed(self, system: str) -> int:
        """Tokens of the system prompt and of what the template adds to any prompt.

        Without one, there may be instructions to carry in its place: then it is the larger of both cases.
        """
        frame = self._frame()
        if not system.strip():
            return max(frame.bare, frame.with_system)
        return frame.with_system + self.texts([system])[0]

    def messages(self, messages: Sequence[Message]) -> list[int]:
        """Tokens that each message takes in a prompt; joining neighbours of one role only makes it less."""
        around = self._frame().around
        counts = self.texts([message.text for message in messages])
        return [around[message.role] + count for message, count in zip(messages, counts, strict=True)]

    def texts(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text by itself."""
        with self._counting:
            return self._texts(texts)

    def _texts(self, texts: Sequence[str]) -> list[int]:
        model = self.model()
        keys = [
            blake2b(f"{model.path}\0{model.size_bytes}\0{text}".encode(), digest_size=16).digest() for text in texts
        ]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._counts}
        if missing:
            self._counts.update(zip(missing, self._engine.count_texts(list(missing.values())), strict=True))
        found = [self._counts[key] for key in keys]
        for key in keys:
            self._counts.move_to_end(key)
        while len(self._counts) > KEPT_COUNTS:
            self._counts.popitem(last=False)
        return found

    def _frame(self) -> Frame:
        model = self.model()
        key = f"{model.path}\0{model.size_bytes}"
        if key not in self._frames:
            self._frames[key] = self._measured()
        return self._frames[key]

    def _measured(self) -> Frame:
        """Prompts of one word a message, each longer by one: what is not the word is the template's."""
        word = self.texts([SAMPLE])[0]
        sizes = [self._engine.count_tokens(_sample(roles)) for roles in ("u", "ua", "uau", "su")]
        answer, question = max(word, sizes[1] - sizes[0]), max(word, sizes[2] - sizes[1])
        around = {Role.USER: question - word, Role.ASSISTANT: answer - word}
        return Frame(max(0, sizes[0] - question), max(0, sizes[3] - question - word), around)


def _sample(roles: str) -> list[Message]:
    names = {"u": Role.USER, "a": Role.ASSISTANT, "s": Role.SYSTEM}
    return [Message(names[role], SAMPLE) for role in roles]
