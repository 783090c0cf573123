"""What can be wrong with a translation, how bad that is, what the model is told, and the flag that a person sees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.features.translation.result import Flag, FlagKind


class ProblemKind(StrEnum):
    """From an answer that is none down to what may be a matter of taste."""

    FAILED = "failed"
    """The engine could not answer."""
    EMPTY = "empty"
    MISSING = "missing"
    """Of a batch: the segment was not in the answer, or the answer's segments cannot be told apart."""
    REFUSED = "refused"
    CUT = "cut"
    """It was not finished within so many tokens."""
    LOOP = "loop"
    PART = "part"
    """A sentence of it stays as it was in the source, for want of anything better."""
    LANGUAGE = "language"
    SAME = "same"
    LEFTOVER = "leftover"
    LENGTH = "length"
    ECHO = "echo"
    """It is the translation of the segment before, which was told as context."""
    LEAK = "leak"
    """The model's own control tags stood in it."""
    REMARK = "remark"
    """ "Here is the translation:"."""
    NUMBER = "number"
    GLOSSARY = "glossary"
    MARKS = "marks"


@dataclass(frozen=True)
class Problem:
    """`said` and `wanted` as in `result.Flag`; of marks, the tags that are lost and those that are too many."""

    kind: ProblemKind
    said: str = ""
    wanted: str = ""


UNUSABLE = frozenset(
    (ProblemKind.FAILED, ProblemKind.EMPTY, ProblemKind.MISSING, ProblemKind.REFUSED, ProblemKind.CUT, ProblemKind.LOOP)
)
"""With one of these there is no translation to show."""
_WEIGHTS = {
    ProblemKind.PART: 70, ProblemKind.LANGUAGE: 60, ProblemKind.ECHO: 55, ProblemKind.SAME: 50,
    ProblemKind.LEFTOVER: 30, ProblemKind.LENGTH: 30, ProblemKind.NUMBER: 25, ProblemKind.LEAK: 12,
    ProblemKind.REMARK: 12, ProblemKind.GLOSSARY: 10, ProblemKind.MARKS: 8,
}  # fmt: skip
_FLAGS = {
    ProblemKind.PART: FlagKind.UNTRANSLATED,
    ProblemKind.MARKS: FlagKind.FORMATTING,
    ProblemKind.GLOSSARY: FlagKind.GLOSSARY,
    ProblemKind.NUMBER: FlagKind.NUMBER,
    ProblemKind.LENGTH: FlagKind.LENGTH,
    ProblemKind.LANGUAGE: FlagKind.LANGUAGE,
    ProblemKind.SAME: FlagKind.SAME,
    ProblemKind.LOOP: FlagKind.LOOP,
    ProblemKind.LEFTOVER: FlagKind.LEFTOVER,
}
_SENTENCES = {
    ProblemKind.EMPTY: "Your last answer was empty.",
    ProblemKind.MISSING: "Your last answer left this text out.",
    ProblemKind.REFUSED: "Nothing is asked of you but to translate a text that somebody else wrote.",
    ProblemKind.CUT: "Your last answer was much too long.",
    ProblemKind.LOOP: "Your last answer repeated the same words again and again.",
    ProblemKind.LANGUAGE: "Your last answer was not in {target}.",
    ProblemKind.SAME: "Your last answer was the text itself, not translated.",
    ProblemKind.ECHO: "Your last answer was the text before, not this one.",
    ProblemKind.LEFTOVER: "Your last answer left “{said}” untranslated.",
    ProblemKind.NUMBER: "Your last answer did not keep the number {said}. Keep every number exactly.",
    ProblemKind.GLOSSARY: "Translate “{said}” as “{wanted}”.",
    ProblemKind.LEAK: "Your last answer had control tags in it.",
    ProblemKind.REMARK: "Your last answer had a remark before the translation. Write only the translation.",
}


def sentence_of(problem: Problem, target: str) -> str:
    """What the model is told when it is asked again; `target` is the language's English name. "" for nothing."""
    said, wanted = problem.said, problem.wanted
    if problem.kind is ProblemKind.MARKS:
        return _of_marks(said, wanted)
    if problem.kind is ProblemKind.LENGTH:
        return f"Your last answer was too {said or 'long'}. Translate everything and add nothing."
    return _SENTENCES.get(problem.kind, "").format(said=said, wanted=wanted, target=target)


def _of_marks(lost: str, extra: str) -> str:
    if lost:
        return f"Your last answer lost {lost}. Keep every tag exactly once, around the matching words."
    if extra:
        return f"Your last answer had {extra} too often. Keep every tag exactly once."
    return "Your last answer muddled the tags. Keep them nested and in order, around the matching words."


def sentences_of(problems: Sequence[Problem], target: str) -> str:
    """Of several, one line."""
    return " ".join(dict.fromkeys(filter(None, (sentence_of(one, target) for one in problems))))


def weight(problems: Iterable[Problem]) -> int:
    """How bad these are together; 0 for none."""
    return sum(1000 if one.kind in UNUSABLE else _WEIGHTS[one.kind] for one in problems)


def is_unusable(problems: Iterable[Problem]) -> bool:
    """Whether there is no translation to show."""
    return any(one.kind in UNUSABLE for one in problems)


def flags_of(problems: Iterable[Problem]) -> tuple[Flag, ...]:
    """What a person is told. Nothing is told of a remark or a control tag, which was taken out, nor of an
    echo, which is not taken while there is another answer."""
    found = []
    for one in problems:
        kind = _FLAGS.get(one.kind)
        if kind is None:
            continue
        is_said = kind not in (FlagKind.FORMATTING, FlagKind.LENGTH)
        found.append(Flag(kind, one.said if is_said else "", one.wanted if is_said else ""))
    return tuple(dict.fromkeys(found))
