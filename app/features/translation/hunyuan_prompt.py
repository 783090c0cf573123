"""How Tencent's translators are asked: Hy-MT2 as its README says (2026-05-26), HY-MT1.5 and Hunyuan-MT as theirs do.

There is no system prompt, and one segment is asked at once. Of Hy-MT2's forms the one for what is wished is taken;
where several things are, they are tasks of its "Personalization".
"""

from __future__ import annotations

from app.core.events import Message, Role
from app.engine.protocol import Sampling
from app.features.translation.families import SEED, WARMER, Pair, Request, address, one_line, term_lines
from app.features.translation.result import Formality
from app.language.names import english_name, has_formality

DEFAULT = (
    "Translate the following text into {target_lang}. Note that you should only output the translated result without "
    "any additional explanation:\n\n{source_text}"
)
TERMINOLOGY = (
    "Reference the following translations:\n{terms}\n\nTranslate the following text into {target_lang}. Note that you "
    "must ONLY output the translated result without any additional explanation:\n\n{source_text}"
)
TERM = "{} translates to {}"
STYLE = (
    "Please translate the following text into {target_lang}. Note that the translation style must strictly conform to "
    "[{style}]:\n\n{source_text}"
)
PERSONALIZATION = "[Source Text]\n{source_text}\n\n[Translation Tasks]\n{tasks}"
LAST_TASK = "Translate the [Source Text] into {target_lang}."
DELIMITERS = (
    "Please accurately translate the following text into {target_lang}.\nYou must retain the exact same number of "
    "delimiters in the translation. Strictly do not omit, escape, or translate these symbols, and pay close attention "
    "to their placement.\n\n{source_text}"
)
BACKGROUND = (
    "[Background Information]\n{background}\n\nPlease translate the following text into {target_lang}, taking the "
    "provided background information into consideration.\n\n[Source Text]\n{source_text}"
)
DEFAULT_1 = "Translate the following segment into {target_lang}, without additional explanation.\n\n{source_text}"
_KEEP_DELIMITERS = (
    "Retain the exact same number of delimiters such as <g1>…</g1> and <x2/>. Strictly do not omit, escape, or "
    "translate these symbols, and pay close attention to their placement."
)
_NAMES = {"pt-BR": "Brazilian Portuguese", "pt-PT": "European Portuguese"}


class HyMt2:
    """`is_large`: the mixture of experts, whose makers recommend other sampling."""

    takes_batches = False
    takes_context = True

    def __init__(self, *, is_large: bool = False) -> None:
        self._is_large = is_large

    def messages(self, request: Request, pair: Pair) -> list[Message]:
        """One user message."""
        return [Message(Role.USER, _hy_mt2(request, pair))]

    def grammar(self, request: Request) -> str:  # noqa: ARG002 - of the protocol
        """None: it was trained to answer without."""
        return ""

    def sampling(self, attempt: int) -> Sampling:
        """As published."""
        return _sampling(attempt, is_large=self._is_large)


class HyMt1:
    """HY-MT1.5 and Hunyuan-MT: the plain prompt for any pair; nothing else is known in English."""

    takes_batches = False
    takes_context = False

    def messages(self, request: Request, pair: Pair) -> list[Message]:
        """One user message."""
        text = DEFAULT_1.format(target_lang=_name(pair.target), source_text=request.texts[0])
        return [Message(Role.USER, text)]

    def grammar(self, request: Request) -> str:  # noqa: ARG002 - of the protocol
        """None."""
        return ""

    def sampling(self, attempt: int) -> Sampling:
        """As published."""
        return _sampling(attempt, is_large=False)


def _sampling(attempt: int, *, is_large: bool) -> Sampling:
    temperature = 0.7 + (WARMER if attempt else 0.0)
    top_k, top_p, repeat = (0, 1.0, 1.0) if is_large else (20, 0.6, 1.05)
    return Sampling(temperature, top_k, top_p, 0.0, repeat_penalty=repeat, presence_penalty=0.0, seed=SEED + attempt)


def _hy_mt2(request: Request, pair: Pair) -> str:
    target, source = _name(pair.target), request.texts[0]
    has_tags = "<x" in source or "<g" in source
    style = _style(pair)
    background = _background(request, pair)
    wishes = [bool(request.terms), bool(style), bool(background), bool(request.said)]
    if sum(wishes) > 1 or request.said or (has_tags and any(wishes)):
        tasks = _tasks(request, style, background, has_tags=has_tags)
        numbered = [*tasks, LAST_TASK.format(target_lang=target)]
        listed = "\n".join(f"{number}. {task}" for number, task in enumerate(numbered, 1))
        return PERSONALIZATION.format(source_text=source, tasks=listed)
    if request.terms:
        terms = term_lines(request.terms, TERM)
        return TERMINOLOGY.format(terms=terms, target_lang=target, source_text=source)
    if style:
        return STYLE.format(target_lang=target, style=style, source_text=source)
    if background:
        return BACKGROUND.format(background=background, target_lang=target, source_text=source)
    return (DELIMITERS if has_tags else DEFAULT).format(target_lang=target, source_text=source)


def _tasks(request: Request, style: str, background: str, *, has_tags: bool) -> list[str]:
    tasks = []
    if request.terms:
        tasks.append(
            f"Reference the following translations: {'; '.join(term_lines(request.terms, TERM).splitlines())}."
        )
    if style:
        tasks.append(f"The translation style must strictly conform to [{style}].")
    if background:
        tasks.append(f"Take this background information into consideration: {one_line(background)}")
    if has_tags:
        tasks.append(_KEEP_DELIMITERS)
    if request.said:
        tasks.append(request.said)
    return tasks


def _style(pair: Pair) -> str:
    if not pair.formality or not has_formality(pair.target):
        return ""
    word = f", addressing people with {address(pair)}" if address(pair) else ""
    return f"{'formal' if pair.formality is Formality.FORMAL else 'informal'}{word}"


def _background(request: Request, pair: Pair) -> str:
    lines = [one_line(pair.domain)] if pair.domain.strip() else []
    lines += [one_line(hint) for hint in request.hints if hint.strip()]
    for source, target in request.before:
        said = f" (translated as: {one_line(target)})" if target else ""
        lines.append(f"The text before: {one_line(source)}{said}")
    return "\n".join(lines)


def _name(code: str) -> str:
    return _NAMES.get(code) or english_name(code)
