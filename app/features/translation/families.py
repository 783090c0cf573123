"""How each family of models is asked: what a request holds, and who writes it down.

The wording of Hy-MT2, HY-MT1.5 and TranslateGemma is their makers'. Whoever changes one counts PROMPT_VERSION up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.core.events import Message
from app.engine.protocol import Sampling
from app.features.translation.result import Formality, Term

PROMPT_VERSION = 1
SEED = 1
WARMER = 0.25
"""An identical prompt at a low temperature reproduces the identical answer."""


@dataclass(frozen=True)
class Pair:
    """From what into what, and how. `source` "" is not known."""

    source: str
    target: str
    formality: Formality = Formality.DEFAULT
    domain: str = ""


@dataclass(frozen=True)
class Request:
    """What is asked at once. `texts` are as they are shown, with tags; `hints` what is known of each, "" for nothing.

    `before` are the segments in front with what became of them, "" where that is not there yet. `said` are sentences
    about what was wrong with the last answer. With `is_batch` the answer has numbered segments.
    """

    texts: tuple[str, ...]
    hints: tuple[str, ...]
    terms: tuple[Term, ...] = ()
    before: tuple[tuple[str, str], ...] = ()
    said: str = ""
    is_batch: bool = False


class Family(Protocol):
    """One of them."""

    takes_batches: bool
    takes_context: bool

    def messages(self, request: Request, pair: Pair) -> list[Message]:
        """The conversation."""

    def grammar(self, request: Request) -> str:
        """The rules that the answer follows, "" for none."""

    def sampling(self, attempt: int) -> Sampling:
        """Of the first attempt (0), or of a later one, which is warmer."""


def family_for(name: str, *, is_large: bool = False) -> Family:
    """By the name in `capability.Knows.family`. `is_large`: of Hy-MT2, the mixture of experts of 30 billion weights."""
    from app.features.model_languages import HY_MT1, HY_MT2, TRANSLATE_GEMMA
    from app.features.translation import generic_prompt, hunyuan_prompt, translate_gemma_prompt

    if name == HY_MT2:
        return hunyuan_prompt.HyMt2(is_large=is_large)
    if name == HY_MT1:
        return hunyuan_prompt.HyMt1()
    if name == TRANSLATE_GEMMA:
        return translate_gemma_prompt.TranslateGemma()
    return generic_prompt.Generic()


def one_line(text: str) -> str:
    """Without line breaks and runs of spaces."""
    return " ".join(text.split())


_FORMAL_AND_INFORMAL = {
    "de": ("Sie", "du"), "fr": ("vous", "tu"), "es": ("usted", "tú"), "it": ("Lei", "tu"), "pt": ("o senhor", "você"),
    "nl": ("u", "jij"), "pl": ("Pan/Pani", "ty"), "ru": ("вы", "ты"), "uk": ("ви", "ти"), "cs": ("vy", "ty"),
    "sk": ("vy", "ty"), "tr": ("siz", "sen"), "ja": ("です・ます", "だ・である"), "ko": ("존댓말", "반말"),
    "hi": ("आप", "तुम"), "ro": ("dumneavoastră", "tu"), "hu": ("Ön", "te"), "el": ("εσείς", "εσύ"),
    "fi": ("te", "sinä"), "ca": ("vostè", "tu"), "bg": ("Вие", "ти"), "hr": ("Vi", "ti"), "sr": ("Ви", "ти"),
    "sl": ("vi", "ti"), "zh": ("您", "你"), "fa": ("شما", "تو"), "id": ("Anda", "kamu"),
}  # fmt: skip


def address(pair: Pair) -> str:
    """The word by which people are addressed as it was wished, "" where none was, or none is known."""
    from app.language.names import base

    words = _FORMAL_AND_INFORMAL.get(base(pair.target))
    if words is None or not pair.formality:
        return ""
    return words[0] if pair.formality is Formality.FORMAL else words[1]


def term_lines(terms: Sequence[Term], form: str) -> str:
    """A line for each, `form` having places for two texts."""
    return "\n".join(form.format(one_line(term.source), one_line(term.target)) for term in terms)
