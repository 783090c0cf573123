"""What a flag says in words: why a person should look at a segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.documents.segments import Segment, plain
from app.features.translation.result import Flag, FlagKind, Origin, Translated
from app.language.names import english_name

_TEXTS = {
    FlagKind.UNTRANSLATED: "This could not be translated.",
    FlagKind.FORMATTING: "Bold, links and the like were put back by their place.",
    FlagKind.GLOSSARY: "Glossary says “{wanted}” for “{said}”.",
    FlagKind.LANGUAGE: "This does not look like {language}.",
    FlagKind.SAME: "The same as the original.",
    FlagKind.LEFTOVER: "“{said}” was not translated.",
}


@dataclass(frozen=True)
class Reason:
    """A sentence in English with `{names}`, so that it can be said in another language, and what goes there."""

    text: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The sentence."""
        return self.text.format(**self.values) if self.values else self.text


def flag_words(segment: Segment, translated: Translated, target: str) -> list[str]:
    """A sentence for each flag of a segment, also of one that was accepted; `target` is the language's code."""
    return [reason_of(flag, segment, translated, english_name(target)).words for flag in translated.flags]


def reason_of(flag: Flag, segment: Segment, translated: Translated, language: str) -> Reason:
    """Why a segment was flagged; `language` is the target's name."""
    text = _text(flag, segment, translated)
    values = {"said": flag.said, "wanted": flag.wanted, "language": language}
    return Reason(text, {name: value for name, value in values.items() if f"{{{name}}}" in text})


def _text(flag: Flag, segment: Segment, translated: Translated) -> str:
    match flag.kind:
        case FlagKind.NUMBER:
            return "“{said}” is missing." if flag.said in segment.text else "“{said}” is not in the original."
        case FlagKind.LENGTH:
            is_short = len(plain(translated.content)) < len(segment.text)
            return "Much shorter than the original." if is_short else "Much longer than the original."
        case FlagKind.LOOP:
            is_kept = translated.origin is Origin.KEPT  # what stands there is the source
            return (
                "The model wrote the same words again and again." if is_kept else "The same words come again and again."
            )
        case _:
            return _TEXTS[flag.kind]
