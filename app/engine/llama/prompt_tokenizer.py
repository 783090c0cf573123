"""From a conversation to the tokens of its prompt, by the model's template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.core.errors.request_errors import (
    ChatUnavailable,
    MediaRefused,
    ModelNotInspectable,
    PromptTooLong,
    TemplateFailed,
)
from app.core.events import Media, Message
from app.engine import protocol
from app.engine.answer_decoder import ThinkingSyntax, syntax_of
from app.engine.llama.cached_sequence import common_length
from app.engine.llama.checkpoints import LEAST_APART_TOKENS
from app.engine.llama.context import LlamaContext
from app.engine.llama.eyes import VisionEncoder
from app.engine.llama.model import Model
from app.engine.llama.sequence_run import PromptTokens
from app.engine.llama.template import MediaMarks, PromptPart, calls_told
from app.engine.llama.template_process import TemplateProblem


class PromptTokenizer:
    """Makes prompts for a loaded model; `eyes` encodes their pictures and sounds."""

    def __init__(self, model: Model, context: LlamaContext, eyes: VisionEncoder | None) -> None:
        self.model, self._context, self._eyes = model, context, eyes
        self._syntax = syntax_of(model.template_source) if model.template else ThinkingSyntax()

    def answer_prompt(self, ask: protocol.Ask) -> tuple[PromptTokens, ThinkingSyntax]:
        parts = self.prompt_parts(ask.messages, ask.continue_last or ask.tells_last, ask.template_variables)
        # The last part by the template says whether the model begins inside a thought.
        end = next((part.text for part in reversed(parts) if part.trusted), "")
        prompt = self._prompt_tokens(parts)
        if ask.shared:
            beginning = ask.messages[0].text[: ask.shared_characters]
            prompt = replace(prompt, shared=self._shared_tokens(prompt.tokens, parts, beginning))
        return prompt, self._syntax.for_prompt_end(end)

    def scored_prompt(self, ask: protocol.Ask) -> tuple[PromptTokens, list[int]]:
        """Return the prompt that ends before the last message, and the tokens of that message."""
        parts = self.prompt_parts(ask.messages, True, ask.template_variables)
        if not parts or parts[-1].trusted:  # the template changes what was said: which part that is nobody knows
            raise ModelNotInspectable(self.model.path, "probabilities")
        prompt = self._prompt_tokens(parts[:-1])
        return prompt, self.tokenize_parts(parts)[len(prompt.tokens) :]

    def prompt_parts(
        self, messages: Sequence[Message], continue_last: bool, variables: Mapping[str, Any]
    ) -> list[PromptPart]:
        model = self.model
        if model.template is None:
            raise ChatUnavailable(model.path)
        if len(messages) >= self._context.size_tokens:  # a template would go through them for seconds, and be ended
            raise PromptTooLong(len(messages), self._context.size_tokens)
        try:
            marks = MediaMarks()
            turns, told = [marks.mark_turn(message) for message in messages], calls_told(messages)
            parts = model.template.render(turns, continue_last=continue_last, variables=variables, told=told)
            return marks.split_marks(parts)
        except TemplateProblem as problem:
            raise TemplateFailed(model.path, str(problem)) from problem

    # These models can go back to copies only: the two ends of the last question are where another answer begins.
    def _prompt_tokens(self, parts: list[PromptPart]) -> PromptTokens:
        """Tokenize a prompt. For models that can't roll back, also mark the positions before and after the last
        question, and the end of long instructions.
        """
        tokens = self.tokenize_parts(parts)
        shown = [part.media for part in parts if part.media is not None]
        media = {(media.id, media.most_tokens): media for media in shown}
        # By difference, since the tokens around a picture are the projector's business.
        taken = len(tokens) - len(self.model.prompt_tokens(parts)) if shown else 0
        prompt = PromptTokens(tokens, media=media, media_tokens=taken)
        if self._context.can_forget and not self._context.has_window:
            return prompt
        texts = [at for at, part in enumerate(parts) if not part.trusted and part.text] or [0]
        question = texts[-1]
        while question and parts[question - 1].media is not None:
            question -= 1  # its pictures are a part of it
        # Instructions stay where early turns leave, and other chats begin with them.
        ends = [len(self.tokenize_parts(parts[:end])) for end in (texts[0] + 1, question, question + 1)]
        ends = ends[ends[0] < LEAST_APART_TOKENS :]
        found = tuple(end for end in ends if 0 < end < len(tokens))
        return replace(prompt, ends=found, places=() if self._context.can_forget else found)

    def tokenize_parts(self, parts: Sequence[PromptPart]) -> list[int]:
        return self.model.prompt_tokens(parts, self._media_tokens)

    def _media_tokens(self, media: Media, tokens_before: int, pictures_before: int) -> list[int]:
        if self._eyes is None:
            raise MediaRefused(media.path, media.kind, "blind" if media.kind == "picture" else "deaf")
        return self._eyes.media_tokens(media, tokens_before, pictures_before)

    def _shared_tokens(self, tokens: list[int], parts: list[PromptPart], beginning: str) -> int:
        """Return how many tokens of a prompt come from a text that other prompts begin with, too, and from what is
        before it.

        0 where that is not in the prompt as it is, or all of it.
        """
        for number, part in enumerate(parts):
            at = part.text.find(beginning) if beginning else -1
            if at >= 0:
                # Cut and tokenized again, as a token can reach across the end of what is shared.
                cut = replace(part, text=part.text[: at + len(beginning)])
                count = common_length(tokens, self.tokenize_parts([*parts[:number], cut]))
                return count if count < len(tokens) else 0
        return 0
