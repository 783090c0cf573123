"""Grammars (GBNF) that answers follow: points with the numbers of what they come from, and the forms of a write-up.

A number can only be one that was shown. For small models a text is one sentence, so that the numbers come after each;
larger ones decide that themselves. Repetitions are kept short: llama.cpp writes each of them out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.features.summary.result import Form
from app.language import sentences

LEAST_CHARACTERS, MOST_CHARACTERS = 20, 300
MOST_FREE_CHARACTERS = 500
MOST_IDS = 4
PARAGRAPH_LINES = 4
MOST_QUOTE_CHARACTERS = 120
MOST_QUESTION_CHARACTERS = 120
ABBREVIATIONS = (*sentences.ABBREVIATIONS, *sentences.AT_AN_END)
_ENDS = {"zh": "。！？", "ja": "。！？", "hi": "।.?!", "bn": "।.?!", "ar": ".؟!", "fa": ".؟!", "ur": "۔؟!"}
_USUAL_ENDS = ".!?"
CAPITAL = "A-ZÀ-ÖØ-Þ"
"""Large letters of western Europe, as a class of characters has them."""
_BEGINS = (
    f"{CAPITAL}Ā-ſΑ-ΩЀ-Я\u0531-\u0556\u05d0-\u05ea\u0620-\u06d3\u0904-\u1087\u10a0-\u10ff\u1780-\u17b3"
    "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
)
"""Large letters, and those of scripts that have only one size. Forbidding what a text is not to begin with led small
models to signs that nobody had thought of."""
_SENTENCE = rf"""
text ::= begin unit{{{LEAST_CHARACTERS},{MOST_CHARACTERS}}} [ENDS]
begin ::= [{_BEGINS}] | [{CAPITAL}] ". " | [1-9] [0-9.,]{{0,8}} " " [a-zß-ÿ]
unit ::= [^ENDS\n\[\]] | [.!?] [^ {CAPITAL}\n\[\]] | [ (-] (short ". "){{0,2}} goes
goes ::= short ". " | lower | initials
initials ::= [{CAPITAL}] ("." [{CAPITAL}]){{1,4}} | ([{CAPITAL}] "." [ -]?){{0,4}} [{CAPITAL}] ". "
short ::= {" | ".join(f'"{one}"' for one in ABBREVIATIONS)}
lower ::= [{CAPITAL}a-zß-ÿ]{{1,4}} ". " [a-zß-ÿ0-9(]
"""
"""A sentence goes on behind a full stop where no large letter follows ("3.7", "sec. 1"), behind initials ("Michael A.
Covington", "U.S. dollars") and abbreviations; elsewhere a space ends it, and without one no large letter follows."""
_FREE = rf"""
text ::= [^ \t\n\[\]-] [^\n\[\]]{{{LEAST_CHARACTERS},{MOST_FREE_CHARACTERS}}}
"""
_JSON_TEXT = r"""
char ::= [^"\\\x00-\x1f\x7f] | "\\" ["\\/bfnrt]
"""


def spread(ids: Sequence[int], count: int, language: str, form: Form = Form.BULLETS) -> str:
    """What small models write: `[12] text` a line, each text one sentence, the numbers in the order of the document.

    Each line has its own stretch of the numbers: so the model gets through all of the text, where it would else stay
    with the paragraph that it began with. Seen before its sentence, a number makes it copy that very paragraph.
    """
    parts = [f"line{n}" for n in range(1, count + 1)]
    before = {Form.PARAGRAPHS: _BREAKS, Form.QUESTIONS: 'question "\\n" '}.get(form, "")
    root = " ".join(
        f"{part} break" if before is _BREAKS and n % PARAGRAPH_LINES == 0 else part for n, part in enumerate(parts, 1)
    )
    rules = [f"root ::= {root}"]
    for n, part in enumerate(parts):
        asked = before if form is Form.QUESTIONS else ""
        rules.append(f'{part} ::= {asked}"[" ({one_of(_share(ids, n, count))}) "] " text "\\n"')
    rules += ['break ::= "\\n"'] if before is _BREAKS else []
    rules += [_QUESTION] if form is Form.QUESTIONS else []
    return "\n".join(rules) + _SENTENCE.replace("ENDS", _ENDS.get(language[:2], _USUAL_ENDS))


def choice(numbers: Sequence[int], count: int, form: Form = Form.BULLETS) -> str:
    """`[12]` a line: which of the points shown, from beginning to end, one of each stretch of the numbers."""
    lines = [f'"[" ({one_of(_share(numbers, n, count))}) "]{_line_end(n, form)}"' for n in range(count)]
    return f"root ::= {' '.join(lines)}\n"


def _line_end(line: int, form: Form) -> str:
    return r"\n\n" if form is Form.PARAGRAPHS and line % PARAGRAPH_LINES == PARAGRAPH_LINES - 1 else r"\n"


_BREAKS = "break"
_QUESTION = rf'question ::= "Q: " [{_BEGINS}] [^\n\[\]?]{{8,{MOST_QUESTION_CHARACTERS}}} "?"'


def _share(ids: Sequence[int], place: int, count: int) -> Sequence[int]:
    """The stretch of the numbers that belongs to one of so many lines; at least one number."""
    begin, end = place * len(ids) // count, (place + 1) * len(ids) // count
    return ids[begin : max(end, begin + 1)]


def json_points(ids: Iterable[int], most: int, *, has_quotes: bool) -> str:
    """`{"points":[{"t":"…","ids":[12,13],"q":"…"}]}`, the quotation only where it is asked for."""
    quote = rf' ",\"q\":\"" char{{0,{MOST_QUOTE_CHARACTERS}}} "\""' if has_quotes else ""
    return (
        rf'root ::= "{{\"points\":[" (point ("," point){_times(0, most - 1)})? "]}}"'
        "\n"
        rf'point ::= "{{\"t\":\"" char{{{LEAST_CHARACTERS},{MOST_FREE_CHARACTERS}}} "\",\"ids\":[" ids "]"{quote} "}}"'
        "\n"
        rf'ids ::= id ("," id){_times(0, MOST_IDS - 1)}'
        f"\nid ::= {one_of(ids)}\n{_JSON_TEXT}"
    )


def write_up(form: Form, ids: Iterable[int], least: int, most: int) -> str:
    """What a form needs around its statements, which are `text [12, 13]`."""
    roots = {
        Form.PARAGRAPHS: f'root ::= paragraph ("\\n\\n" paragraph){_times(0, max(1, most // 3))}\n'
        f'paragraph ::= cited (" " cited){_times(1, 6)}',
        Form.ACTIONS: f'root ::= "None." | item{_times(1, most)}',
        Form.QUESTIONS: f"root ::= pair{_times(max(1, least // 2), max(1, most // 2))}\n"
        'pair ::= question "\\n" cited (" " cited){0,2} "\\n\\n"\n'
        f"{_QUESTION}",
        Form.OWN: f'root ::= line ("\\n" line){_times(0, most)}\nline ::= "- "? cited (" " cited){{0,5}}',
    }
    root = roots.get(form, f"root ::= item{_times(least, most)}")
    return (
        f"{root}\n"
        'item ::= "- " cited "\\n"\n'
        f'cited ::= text " [" id (", " id){_times(0, MOST_IDS - 1)} "]" "."?\n'
        f"id ::= {one_of(ids)}\n{_FREE}"
    )


def one_of(numbers: Iterable[int]) -> str:
    """A rule's body for one of these numbers, by their digits: long lists of alternatives are slow to follow."""
    return _digits(sorted({str(number) for number in numbers}))


def _digits(texts: Sequence[str]) -> str:
    branches: list[str] = []
    for digit in sorted({text[0] for text in texts}):
        rests = [text[1:] for text in texts if text[0] == digit]
        longer = [rest for rest in rests if rest]
        if not longer:
            branches.append(f'"{digit}"')
        elif "" in rests:
            branches.append(f'"{digit}" ({_digits(longer)})?')
        else:
            branches.append(f'"{digit}" ({_digits(longer)})')
    return " | ".join(branches)


def _times(least: int, most: int) -> str:
    return f"{{{least},{max(least, most)}}}"
