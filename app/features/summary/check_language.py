"""Whether a statement is in the language of the text it is compared with, by small words and by the script."""

from __future__ import annotations

from functools import lru_cache

from app.features.summary.check_text import words

LEAST_WORDS = 3
"""So many small words tell a language."""
SMALL_WORDS = {
    "en": "the of and to is was are were that for with this by from it as be have has which their its not they",
    "de": "der die das und ist den von zu mit dem des ein eine nicht sich auch auf für im wird wurde werden sind",
    "fr": "le la les des et est une du dans pour que qui sur par au pas avec sont ont été cette plus ce",
    "es": "el la los las de y que en un una es por con para del se al son fue más este esta como",
    "it": "il di che è la per un una in con del della dei sono gli le nel alla ha non come è stato",
    "pt": "o a os as de que e do da em um uma para com não no na por mais foi são dos das ao",
    "nl": "de het een van en is dat op te zijn voor met niet door aan er wordt werd ook bij",
    "pl": "w i na z się nie do jest że to od po przez oraz dla był jak",
    "sv": "och att det som en är på av för med till den har inte ett om var",
    "tr": "ve bir bu için ile olarak olan da de daha çok gibi sonra",
}
"""What tells a language that is written in Latin letters, by its code."""
_SETS = {code: frozenset(row.split()) for code, row in SMALL_WORDS.items()}
_SCRIPTS = (
    ("latin", 0x41, 0x24F),
    ("greek", 0x370, 0x3FF),
    ("cyrillic", 0x400, 0x52F),
    ("hebrew", 0x590, 0x5FF),
    ("arabic", 0x600, 0x6FF),
    ("indic", 0x900, 0xDFF),
    ("thai", 0xE00, 0xEFF),
    ("east asian", 0x3040, 0x9FFF),
    ("hangul", 0xAC00, 0xD7A3),
)
SAMPLE = 2_000
SCRIPT_SAMPLE = 200
"""Characters that are looked at."""


@lru_cache(maxsize=1024)
def language_of(text: str) -> str:
    """A code or the name of a script; "" where too little tells it."""
    script = _script(text[:SCRIPT_SAMPLE])
    if script != "latin":
        return script
    here = words(text[:SAMPLE])
    counts = sorted(((len(here & known), code) for code, known in _SETS.items()), reverse=True)
    (most, code), (second, _) = counts[0], counts[1]
    return code if most >= LEAST_WORDS and most > second else ""


@lru_cache(maxsize=4096)
def _script(text: str) -> str:
    counts = dict.fromkeys((name for name, _, _ in _SCRIPTS), 0)
    for character in text:
        if character.isalpha():
            for name, first, last in _SCRIPTS:
                if first <= ord(character) <= last:
                    counts[name] += 1
                    break
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else "latin"


def differ(statement: str, text: str) -> bool:
    """Whether both languages are known and not the same, or the letters are others: words cannot be compared."""
    ours, theirs = language_of(statement), language_of(text)
    return bool(ours and theirs and ours != theirs) or scripts_differ(statement, text)


def scripts_differ(statement: str, text: str) -> bool:
    """Whether they are written in other letters; nothing is said of what has none."""
    both = (statement[:SCRIPT_SAMPLE], text[:SCRIPT_SAMPLE])
    return all(any(map(str.isalpha, one)) for one in both) and _script(both[0]) != _script(both[1])
