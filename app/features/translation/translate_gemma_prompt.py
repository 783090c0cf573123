"""How Google's TranslateGemma is asked: the prompt that its own chat template makes, as the text of a user message.

Its format has no place for a glossary, context, formality or a system message, and wants the source language. The
file's template takes no plain text; the engine uses the usual one of Gemma instead (see
`app.engine.llama.template`).
"""

from __future__ import annotations

from app.core.events import Message, Role
from app.engine.protocol import Sampling
from app.features.translation.families import SEED, WARMER, Pair, Request
from app.language.names import english_name

PROMPT = (
    "You are a professional {source_name} ({source}) to {target_name} ({target}) translator. Your goal is to "
    "accurately convey the meaning and nuances of the original {source_name} text while adhering to {target_name} "
    "grammar, vocabulary, and cultural sensitivities.\nProduce only the {target_name} translation, without any "
    "additional explanations or commentary. Please translate the following {source_name} text into {target_name}:"
    "\n\n\n{text}"
)
UNKNOWN_SOURCE = "en"
"""Where the source cannot be told: the template's own default."""


class TranslateGemma:
    """One text a request, nothing beside it."""

    takes_batches = False
    takes_context = False

    def messages(self, request: Request, pair: Pair) -> list[Message]:
        """One user message."""
        source = pair.source or UNKNOWN_SOURCE
        text = PROMPT.format(
            source_name=english_name(source),
            source=source,
            target_name=english_name(pair.target),
            target=pair.target,
            text=request.texts[0].strip(),
        )
        return [Message(Role.USER, text)]

    def grammar(self, request: Request) -> str:  # noqa: ARG002 - of the protocol
        """None."""
        return ""

    def sampling(self, attempt: int) -> Sampling:
        """Greedy; what is asked again is warmer."""
        if not attempt:
            return Sampling(0.0, repeat_penalty=1.0, presence_penalty=0.0, seed=SEED)
        return Sampling(WARMER, 64, 0.95, repeat_penalty=1.0, presence_penalty=0.0, seed=SEED + attempt)
