"""Problems of translations: severity, the sentence for the model, and the flag for the user."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from app.documents.clean import clean_text
from app.documents.segments import Segment, plain
from app.features.translate.translation_events import Flag, FlagKind, Translated, TranslationSource
from app.features.work.asking import REFUSING
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
        kind = _FLAGS.get(problem.kind)
        if kind is None:
            continue
        # Tags and lengths say nothing to a person as "said"; their sentences have none.
        is_said = kind not in (FlagKind.FORMATTING, FlagKind.LENGTH)
        found.append(Flag(kind, problem.said if is_said else "", problem.wanted if is_said else ""))
    return tuple(dict.fromkeys(found))


# Checks of a translation by itself: remarks of the model, refusals, control tags, words in a circle.


_LEAK = re.compile(
    r"<\|[^<>\n]{0,40}|<｜[^<>\n]{0,40}|</?hy[-_][^<>\n]{0,40}>?|</?(?:start_of_turn|end_of_turn|eos|bos|im_start|im_end|think)\b[^<>\n]{0,10}>?"
    r"|\[/?INST\]|</?s(?:\s+n\s*=[^<>\n]*)?\s*>"
)
_REMARK = re.compile(
    r"""\A\W*(?:
        (?:(?:sure|certainly|of\ course|okay|ok|absolutely)\b[^\n:.!]{0,30}[!,.:]\s*)?
        (?:here(?:['’]s|\ is|\ are)\ (?:the|your|my|a)\ [^\n:]{0,60}transl[^\n:]{0,60}:
         | (?:the\ )?(?:\w+\ )?translat(?:ion|ed\ text)(?:\ (?:in|into|to|of)\ [^\n:]{0,40})?\s*(?:is|reads)?\s*:
         | (?:voici|voilà)\ (?:la|votre|une)\ traduction[^\n:]{0,50}: | traduction\s*(?:en\ \w+\s*)?:
         | hier\ ist\ (?:die|ihre|deine)\ übersetzung[^\n:]{0,50}: | übersetzung\s*(?:ins\ \w+\s*)?:
         | (?:aquí\ (?:está|tienes?)|esta\ es)\ (?:la|una|tu)\ traducción[^\n:]{0,50}: | traducción\s*(?:al\ \w+\s*)?:
         | (?:aqui\ está|segue)\ (?:a|uma|sua)\ tradução[^\n:]{0,50}: | tradução\s*: | ecco\ la\ traduzione[^\n:]{0,50}:
         | traduzione\s*: | вот\ перевод[^\n:]{0,50}: | перевод\s*:
         | (?:以下是|这是|這是)[^\n:：]{0,20}(?:翻译|翻譯|译文|譯文)[^\n:：]{0,20}[:：]
         | (?:译文|譯文|翻译|翻譯|翻訳|번역)\s*[:：]
        )
        | (?:sure|certainly|of\ course)[!,]\s+(?=\S)
    )\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_AFTERTHOUGHT = re.compile(
    r"""\n\s*[(*\[]*(?:note|please\ note|explanation|translator['’]s\ note|remarque|hinweis|nota|anmerkung
            |примечание|注)
        \s*[:：].*\Z""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_REFUSING_TO_TRANSLATE = re.compile(
    r"\W*(?:Unfortunately,\ )?I(?:['’]m|\ am|\ can(?:['’]t|not)|\ won['’]t|\ do\ not|\ don['’]t)"
    r"\ (?:unable\ to\ |not\ able\ to\ |know\ how\ to\ )?translate\b",
    re.IGNORECASE,
)
_FENCE = re.compile(r"\A\s*```\w*\n(.*?)\n?```\s*\Z", re.DOTALL)
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|#39|#x27|nbsp);")
_QUOTES = (('"', '"'), ("“", "”"), ("«", "»"), ("„", "“"), ("‘", "’"), ("「", "」"), ("'", "'"))
LOOP_TIMES = 4
MOST_LOOP_WORDS = 40
LEAST_LOOP_CHARACTERS = 24


class TidiedAnswer(NamedTuple):
    """An answer without what does not belong to the translation, and what that was."""

    text: str
    problems: tuple[TranslationProblem, ...]


def tidy_answer(source: str, answer: str) -> TidiedAnswer:
    """Remove what a model adds around a translation; `source` is the text it was given, which may contain the same."""
    problems: list[TranslationProblem] = []
    text = clean_text(answer).strip()
    if (leak := _LEAK.search(text)) and leak[0] not in source:
        problems.append(TranslationProblem(ProblemKind.LEAK, leak[0]))
        head = text[: leak.start()].strip()
        # What follows a control tag is mostly the beginning of another answer.
        text = head or _LEAK.sub("", text).strip()
    if (fence := _FENCE.match(text)) and "```" not in source:
        text = fence[1].strip()
    if (remark := _REMARK.match(text)) and not _REMARK.match(source):
        problems.append(TranslationProblem(ProblemKind.REMARK, remark[0].strip()))
        text = text[remark.end() :].strip()
    # A note behind a translation of several lines may be a part of it.
    if (more := _AFTERTHOUGHT.search(text)) and "\n" not in source.strip():
        problems.append(TranslationProblem(ProblemKind.REMARK, more[0].strip()[:60]))
        text = text[: more.start()].strip()
    text = _unescape_text(source, _unquote_text(source, text))
    # A source of one line is translated by one line.
    if "\n" not in source:
        text = re.sub(r"\s*\n\s*", " ", text)
    return TidiedAnswer(text, tuple(problems))


def _unquote_text(source: str, text: str) -> str:
    for opening, closing in _QUOTES:
        inner = text[1:-1]
        has_both = len(text) > 2 and text.startswith(opening) and text.endswith(closing)
        # Quotation marks around all of it are the model's, unless the source begins with one.
        if (
            has_both
            and opening not in inner
            and closing not in inner
            and not source.lstrip().startswith(_opening_quotes())
        ):
            return inner.strip()
    return text


def _unescape_text(source: str, text: str) -> str:
    """Unescape entities where the source has plain characters, as models tend to add them."""
    # Entities of the source were protected, so the answer may have its own.
    if _ENTITY.search(source):
        return text
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text)


def _opening_quotes() -> tuple[str, ...]:
    return tuple({opening for opening, _ in _QUOTES})


def is_refusal(source: str, text: str) -> bool:
    """Return whether the model refuses, and the source doesn't."""
    return any(pattern.match(text) and not pattern.match(source) for pattern in (REFUSING, _REFUSING_TO_TRANSLATE))


def has_repetition(source: str) -> bool:
    """Return whether the source repeats itself, so that its translation may."""
    return bool(_loop_of_words(source.casefold().split(), times=2) or _loop_of_characters(source))


def loop_in(source: str, text: str) -> str:
    """Return words repeated in immediate succession, unless the source does the like; "" for none."""
    found = _loop_of_words(text.casefold().split()) or _loop_of_characters(text)
    return "" if not found or has_repetition(source) else found


def _loop_of_words(words: Sequence[str], times: int = LOOP_TIMES) -> str:
    # Every size of a repeated run; few, since longer loops end by the limit of tokens.
    for size in range(1, min(MOST_LOOP_WORDS, len(words) // times) + 1):
        streak = 0
        for at in range(size, len(words)):
            streak = streak + 1 if words[at] == words[at - size] else 0
            if streak >= size * (times - 1):
                found = " ".join(words[at - size + 1 : at + 1])
                # "no no no no" is no loop yet.
                if len(found) * (streak // size + 1) >= LEAST_LOOP_CHARACTERS:
                    return found
    return ""


_CHARACTERS = re.compile(r"(.{1,20}?)\1{5,}", re.DOTALL)


def _loop_of_characters(text: str) -> str:
    """Find a loop in unspaced scripts, and runs of one character."""
    # Only a long run without a space can hold one; looking for it takes time by the square.
    if max(map(len, text.split()), default=0) < LEAST_LOOP_CHARACTERS:
        return ""
    for match in _CHARACTERS.finditer(text):
        if len(match[0]) >= LEAST_LOOP_CHARACTERS and any(letter.isalpha() for letter in match[1]):
            return match[1].strip()
    return ""


# What a flag says in words: why a person should look at a segment.


_TEXTS = {
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
    """A sentence in English with `{names}`, so that it can be said in another language, and what goes there."""

    text: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        return self.text.format(**self.values) if self.values else self.text


def flag_words(segment: Segment, translated: Translated, target: str) -> list[str]:
    """Return a sentence for each flag of a segment, even if accepted; `target` is the language's code."""
    return [reason_of(flag, segment, translated, english_name(target)).words for flag in translated.flags]


def reason_of(flag: Flag, segment: Segment, translated: Translated, language: str) -> ProblemReason:
    """Explain why a segment was flagged; `language` is the target's name."""
    text = _flag_text(flag, segment, translated)
    values = {"said": flag.said, "wanted": flag.wanted, "language": language}
    # Only the names that occur, so that a translated sentence needs no others.
    return ProblemReason(text, {name: value for name, value in values.items() if f"{{{name}}}" in text})


def _flag_text(flag: Flag, segment: Segment, translated: Translated) -> str:
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
