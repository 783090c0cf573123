"""Problems of translations: severity, the sentence for the model, and the flag for the user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from app.core.catalogue import Translatable, tr
from app.core.lazy_dataclasses import dataclass, field
from app.documents.segments import Segment, plain
from app.features.translate.translation_events import Flag, FlagKind, Translated, TranslationSource
from app.language.language_names import english_name


class ProblemKind(StrEnum):
    """From an answer that is none down to what may be a matter of taste."""

    FAILED = "failed"
    """The engine could not answer."""
    EMPTY = "empty"
    MISSING = "missing"
    """In a batch: the segment is missing, or the answer's segments can't be told apart."""
    REFUSED = "refused"
    CUT = "cut"
    """Cut off by the token limit."""
    LOOP = "loop"
    PART = "part"
    """A sentence of it stays as it was in the source, for want of anything better."""
    LANGUAGE = "language"
    SAME = "same"
    LEFTOVER = "leftover"
    SOURCE_WORD = "source_word"
    """It contains an ordinary word of the source."""
    LENGTH = "length"
    ECHO = "echo"
    """It repeats the translation of the preceding segment, shown as context."""
    LEAK = "leak"
    """It contained the model's control tags."""
    REMARK = "remark"
    """ "Here is the translation:"."""
    NUMBER = "number"
    WORD = "word"
    """A weekday, a month or a number in words became another."""
    OPPOSITE = "opposite"
    """`said` became `wanted`, which excludes it."""
    GARBLED = "garbled"
    """Letters of a foreign script, or words glued together, that the source does not have."""
    NEGATION = "negation"
    SEPARATORS = "separators"
    """A number has those of the source's language."""
    GLOSSARY = "glossary"
    MARKS = "marks"


@dataclass(frozen=True)
class TranslationProblem:
    """`said` and `wanted` as in `translation_events.Flag`; of marks, the lost and the surplus tags."""

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
    ProblemKind.WORD: 25, ProblemKind.NEGATION: 20, ProblemKind.SEPARATORS: 9,
    ProblemKind.SOURCE_WORD: 25, ProblemKind.OPPOSITE: 25, ProblemKind.GARBLED: 35,
    ProblemKind.REMARK: 12, ProblemKind.GLOSSARY: 10, ProblemKind.MARKS: 8,
}  # fmt: skip
_FLAGS = {
    ProblemKind.PART: FlagKind.UNTRANSLATED,
    ProblemKind.MARKS: FlagKind.FORMATTING,
    ProblemKind.GLOSSARY: FlagKind.GLOSSARY,
    ProblemKind.NUMBER: FlagKind.NUMBER,
    ProblemKind.SOURCE_WORD: FlagKind.LEFTOVER,
    ProblemKind.WORD: FlagKind.WORD,
    ProblemKind.NEGATION: FlagKind.NEGATION,
    ProblemKind.OPPOSITE: FlagKind.OPPOSITE,
    ProblemKind.GARBLED: FlagKind.GARBLED,
    ProblemKind.SEPARATORS: FlagKind.SEPARATORS,
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
    ProblemKind.SOURCE_WORD: "Your last answer left “{said}” untranslated.",
    ProblemKind.NUMBER: "Your last answer did not keep the number {said}. Keep every number exactly.",
    ProblemKind.WORD: "Your last answer did not say “{said}”.",
    ProblemKind.OPPOSITE: "Your last answer said “{wanted}” for “{said}”, which is something else.",
    ProblemKind.GARBLED: "Your last answer had “{said}” in it, which is no {target}.",
    ProblemKind.NEGATION: "Your last answer got “{said}” wrong: negate exactly what the text negates.",
    ProblemKind.SEPARATORS: "Write the number {said} with the separators that {target} uses.",
    ProblemKind.GLOSSARY: "Translate “{said}” as “{wanted}”.",
    ProblemKind.LEAK: "Your last answer had control tags in it.",
    ProblemKind.REMARK: "Your last answer had a remark before the translation. Write only the translation.",
}


def sentence_of(problem: TranslationProblem, target: str) -> str:
    """Return the sentence that names the problem to the model in a retry;

    `target` is the language's English name. "" for none.
    """
    said, wanted = problem.said, problem.wanted
    if problem.kind is ProblemKind.MARKS:
        return _of_marks(said, wanted)
    if problem.kind is ProblemKind.LENGTH:
        # Named in the next request, since small models repair what they are told, not what they guess.
        return f"Your last answer was too {said or 'long'}. Translate everything and add nothing."
    return _SENTENCES.get(problem.kind, "").format(said=said, wanted=wanted, target=target)


def _of_marks(lost: str, extra: str) -> str:
    if lost:
        # A lost tag is told before extra ones: putting it back often takes the extra one out.
        return f"Your last answer lost {lost}. Keep every tag exactly once, around the matching words."
    if extra:
        return f"Your last answer had {extra} too often. Keep every tag exactly once."
    return "Your last answer muddled the tags. Keep them nested and in order, around the matching words."


def sentences_of(problems: Sequence[TranslationProblem], target: str) -> str:
    """Return the sentences of several problems, in one line."""
    # One sentence a fault, in one line: some families take only a line of remarks.
    return " ".join(dict.fromkeys(filter(None, (sentence_of(problem, target) for problem in problems))))


def total_weight(problems: Iterable[TranslationProblem]) -> int:
    """Return the total severity; 0 for none."""
    return sum(1000 if problem.kind in UNUSABLE else _WEIGHTS[problem.kind] for problem in problems)


def is_unusable(problems: Iterable[TranslationProblem]) -> bool:
    return any(problem.kind in UNUSABLE for problem in problems)


def flags_of(problems: Iterable[TranslationProblem]) -> tuple[Flag, ...]:
    """Return the flags for the user.

    None for remarks or control tags, which were removed, or for an echo, which is only used if there is nothing else.
    """
    found = []
    for problem in problems:
        if (kind := _FLAGS.get(problem.kind)) is None:
            continue
        # Tags and lengths say nothing to a person as "said"; their sentences have none.
        is_said = kind not in (FlagKind.FORMATTING, FlagKind.LENGTH)
        found.append(Flag(kind, problem.said if is_said else "", problem.wanted if is_said else ""))
    return tuple(dict.fromkeys(found))


_TEXTS: dict[FlagKind, Translatable] = {
    FlagKind.UNTRANSLATED: "This couldn’t be translated.",
    FlagKind.FORMATTING: "Bold, links and other formatting were restored by position.",
    FlagKind.GLOSSARY: "The glossary has “{wanted}” for “{said}”.",
    FlagKind.LANGUAGE: "This doesn’t look like {language}.",
    FlagKind.SAME: "Same as the original.",
    FlagKind.LEFTOVER: "“{said}” wasn’t translated.",
    FlagKind.OPPOSITE: "“{said}” seems to have become “{wanted}”.",
    FlagKind.GARBLED: "“{said}” looks garbled.",
    FlagKind.SEPARATORS: "“{said}” isn’t how {language} writes numbers.",
    FlagKind.UNSURE: "The model wasn’t sure about this, especially “{said}”.",
}


@dataclass(frozen=True)
class ProblemReason:
    """What is wrong with a segment: a sentence with `{names}`, and what goes there."""

    text: Translatable
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        return tr(self.text, **self.values)


def flag_words(segment: Segment, translated: Translated, target: str) -> list[str]:
    """Return a sentence for each flag of a segment, even if accepted; `target` is the language's code."""
    language = tr(english_name(target))
    return [reason_of(flag, segment, translated, language).words for flag in translated.flags]


def reason_of(flag: Flag, segment: Segment, translated: Translated, language: str) -> ProblemReason:
    """Explain why a segment was flagged; `language` is the target's name."""
    text = _flag_text(flag, segment, translated)
    values = {"said": flag.said, "wanted": flag.wanted, "language": language}
    # Only the names that occur, so that a translated sentence needs no others.
    return ProblemReason(text, {name: value for name, value in values.items() if f"{{{name}}}" in text})


def _flag_text(flag: Flag, segment: Segment, translated: Translated) -> Translatable:
    match flag.kind:
        case FlagKind.NUMBER:
            return "“{said}” is missing." if flag.said in segment.text else "“{said}” isn’t in the original."
        case FlagKind.WORD:
            return "“{said}” seems to be missing."
        case FlagKind.NEGATION:
            # Lost or added: one text has it and the other doesn't.
            is_lost = flag.said.casefold() in segment.text.casefold()
            return "“{said}” seems to be missing." if is_lost else "“{said}” doesn’t seem to be in the original."
        case FlagKind.LENGTH:
            is_short = len(plain(translated.content)) < len(segment.text)
            return "Much shorter than the original." if is_short else "Much longer than the original."
        case FlagKind.LOOP:
            is_kept = translated.origin is TranslationSource.KEPT  # what stands there is the source
            return "The model kept repeating itself." if is_kept else "The same words repeat."
        case _:
            return _TEXTS[flag.kind]
