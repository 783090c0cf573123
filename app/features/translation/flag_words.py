"""What a flag says in words: why a person should look at a segment."""

from __future__ import annotations

from app.documents.segments import Segment, plain
from app.features.translation.languages import english_name
from app.features.translation.result import Flag, FlagKind, Translated

_PLAIN = {
    FlagKind.UNTRANSLATED: "This could not be translated.",
    FlagKind.FORMATTING: "Bold, links and the like were put back by their place.",
    FlagKind.SAME: "The same as the original.",
    FlagKind.LOOP: "The same words come again and again.",
}


def flag_words(segment: Segment, translated: Translated, target: str) -> list[str]:
    """A sentence for each flag of a segment, also of one that was accepted; `target` is the language's code."""
    return [_words(flag, segment, translated, target) for flag in translated.flags]


def _words(flag: Flag, segment: Segment, translated: Translated, target: str) -> str:
    said = flag.said
    match flag.kind:
        case FlagKind.GLOSSARY:
            words = f"The glossary says “{flag.wanted}” for “{said}”."
        case FlagKind.NUMBER:
            words = f"“{said}” is missing." if said in segment.text else f"“{said}” is not in the original."
        case FlagKind.LENGTH:
            is_short = len(plain(translated.content)) < len(segment.text)
            words = f"Much {'shorter' if is_short else 'longer'} than the original."
        case FlagKind.LANGUAGE:
            words = f"This does not look like {english_name(target)}."
        case FlagKind.LEFTOVER:
            words = f"“{said}” was not translated."
        case _:
            words = _PLAIN[flag.kind]
    return words
