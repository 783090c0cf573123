"""Grammars (GBNF) of answers: points with the numbers of what they come from, and the forms of a write-up."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from app.features.summarize.answer_sentences import (
    MOST_FREE_CHARACTERS,
    MOST_PARAGRAPH_CHARACTERS,
    MOST_SENTENCE_WORDS,
    MOST_UNSPACED_CHARACTERS,
)
from app.features.summarize.point_answers import MOST_CITED_A_LINE, MOST_IDS
from app.features.summarize.summary_prompts import MOST_QUESTION_CHARACTERS
from app.features.summarize.summary_result import Form
from app.language import sentences
from app.language.language_names import has_word_spaces

PARAGRAPH_LINES = 4
MOST_QUOTE_CHARACTERS = 300
MOST_ENTRY_CHARACTERS = 240
MOST_JOINED_WORDS, LONGEST_WRITTEN_WORD = 60, 100
ABBREVIATIONS = (*sentences.ABBREVIATIONS, *sentences.AT_AN_END)
_ENDS_OF = {"zh": "。！？", "ja": "。！？", "hi": "।", "bn": "।", "ar": "؟", "fa": "؟", "ur": "۔؟"}
"""Characters that end a sentence, besides the usual ones."""
CAPITAL = "A-ZÀ-ÖØ-Þ"
"""Large letters of western Europe, as a class of characters has them."""
_BEGINS = (
    f"{CAPITAL}Ā-ſΑ-ΩЀ-Я\u0531-\u0556\u05d0-\u05ea\u0620-\u06d3\u0904-\u1087\u10a0-\u10ff\u1780-\u17b3"
    "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
)
"""Characters a sentence may begin with: capitals, and letters of scripts without case.

A list of forbidden ones led small models to odd characters nobody had thought of.
"""
_SENTENCE = rf"""
text ::= {{first}} (" " word){{{{0,{MOST_SENTENCE_WORDS}}}}} (" " plain [{{ends}}])? | plain [{{ends}}]
word ::= plain | open [,;:)”’"'»]{{{{0,2}}}}
plain ::= [^ \n{{ends}}]{{{{1,{{longest}}}}}} | number [^ \n{{ends}}]{{{{0,30}}}}
number ::= ([^ \n{{ends}}]{{{{0,30}}}} [0-9] "."){{{{1,4}}}} [0-9]
open ::= [“"'‘(«]? (known | ([^ \n{{ends}}]{{{{1,4}}}} "."){{{{1,4}}}}) | [^ \n{{ends}}]{{{{0,30}}}} [0-9] "."
known ::= {{known}}
"""
"""Grammar of one sentence a line: it ends after a full stop behind a word of five letters, to which nothing can be
glued. After any other full stop (numbers, initials, short words, forms found in the source) the text can continue: a
model that can't continue as it wants writes stray characters.
"""
_FIRST_OF_SMALLEST = rf'[{_BEGINS}] (word | ".")?'
_ANY_BEGINNING = r'([^ \t\n\[\]-] | "-" [0-9])'
# Numbers in brackets are citations, so the text itself may have any others.
_ANY_SIGN = r'([^\n\[] | "[" [^0-9\n])'
"""Bracketed numbers are citations; other brackets belong to the text."""
MOST_INDENTED = 16
_JSON_TEXT = rf"""
blank ::= (" " | "\n" [ \t]{{0,{MOST_INDENTED}}})?
char ::= [^"\\\x00-\x1f\x7f] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{{4}})
"""


def spread_grammar(
    ids: Sequence[int],
    count: int,
    language: str,
    form: Form = Form.BULLETS,
    *,
    source: str = "",
    begins_with_number: bool = True,
) -> str:
    """Build the grammar for small models: one `[12] text` per line, each one sentence, numbers in document order.

    Each line has its own range of numbers. `source` is the text written about.
    """
    parts = [f"line{n}" for n in range(1, count + 1)]
    # With its own range for each line the model covers the whole text instead of staying with its first paragraph.
    before = {Form.PARAGRAPHS: _BREAKS, Form.QUESTIONS: 'question "\\n" '}.get(form, "")
    root = " ".join(
        f"{part} break" if before is _BREAKS and n % PARAGRAPH_LINES == 0 and n < count else part
        for n, part in enumerate(parts, 1)
    )
    rules = [f"root ::= {root}"]
    for n, part in enumerate(parts):
        asked = before if form is Form.QUESTIONS else ""
        is_last = n == count - 1  # a model that has to write a break there goes on with its sentence
        end = '"\\n"?' if is_last else '"\\n"'
        # The number comes before the sentence: shown first, it makes a small model copy that very paragraph.
        rules.append(f'{part} ::= {asked}"[" ({one_of(_share_of_ids(ids, n, count))}) "] " text {end}')
    rules += ['break ::= "\\n"'] if before is _BREAKS else []
    rules += [_QUESTION] if form is Form.QUESTIONS else []
    return "\n".join(rules) + _sentence_rules(language, source, begins_with_number=begins_with_number)


def _sentence_rules(language: str, source: str, *, begins_with_number: bool) -> str:
    longest = LONGEST_WRITTEN_WORD if has_word_spaces(language) else MOST_UNSPACED_CHARACTERS
    # Short forms are open to any text already (`open`), so only longer ones are listed.
    known = [*(f"{text}." for text in ABBREVIATIONS if len(text) > 4), *joined_words(source)]
    return _SENTENCE.format(
        # The smallest start counting, [1] 1. 2. 3., where a sentence may begin with a number.
        first="word" if begins_with_number else _FIRST_OF_SMALLEST,
        ends=f".!?{_ENDS_OF.get(language[:2], '')}",
        longest=longest,
        known=" | ".join(json.dumps(text, ensure_ascii=False) for text in known),
    )


def joined_words(source: str) -> list[str]:
    """Return words with a letter after a full stop, such as "archive.toml", and words after which a sentence may
    continue. Most frequent first: a long list makes the grammar large for words that rarely occur.
    """
    inside = (match[0].strip(_AROUND) for match in _JOINED.finditer(source))
    ends = set(sentences.sentence_ends(source))
    behind = (match[1] for match in _STOPPED.finditer(source) if match[2] or match.end() + 1 not in ends)
    found = Counter(word for word in (*inside, *behind) if 4 < len(word) <= LONGEST_WRITTEN_WORD and "\\" not in word)
    # Each alternative makes the grammar larger, so the most frequent ones are enough.
    return [word for word, _ in found.most_common(MOST_JOINED_WORDS)]


_AROUND = "\"“”‘’'()«»,;:.!?…[]"
_JOINED = re.compile(r"\S*[^\W_][.!?][^\W\d_]\S*")
_STOPPED = re.compile(r"([^\W\d_]{5,}\.)(?= (?:([a-zß-ÿ\d(])|\S))")


def choice_grammar(numbers: Sequence[int], count: int, form: Form = Form.BULLETS) -> str:
    """`[12]` a line: which of the points shown, from beginning to end, one of each stretch of the numbers."""
    lines = [f'"[" ({one_of(_share_of_ids(numbers, n, count))}) "]{_line_end(n, form)}"' for n in range(count)]
    return f"root ::= {' '.join(lines)}\n"


def _line_end(line: int, form: Form) -> str:
    return r"\n\n" if form is Form.PARAGRAPHS and line % PARAGRAPH_LINES == PARAGRAPH_LINES - 1 else r"\n"


_BREAKS = "break"
_QUESTION = (
    r'question ::= "Q: " [^ \t\n\[] ([^\n\[?？؟] | "[" [^0-9\n?？؟])'
    f"{{2,{MOST_QUESTION_CHARACTERS}}} [?？؟]?"
)


def _share_of_ids(ids: Sequence[int], place: int, count: int) -> Sequence[int]:
    """Return the range of numbers for one line out of `count`; at least one number."""
    begin, end = place * len(ids) // count, (place + 1) * len(ids) // count
    # With more lines than numbers, some share one.
    return ids[begin : max(end, begin + 1)]


def json_points(ids: Iterable[int], most: int, *, has_quotes: bool) -> str:
    """Build the grammar of `{"points":[{"t":"…","ids":[12,13],"q":"…"}]}`, with quotations only if wanted.

    Blanks, line breaks and a fence are allowed where models put them: held to the short form, Qwen2.5-Coder 1.5B
    writes everything into one point.
    """
    quote = rf' "," blank "\"q\":" blank "\"" char{{0,{MOST_QUOTE_CHARACTERS}}} "\""' if has_quotes else ""
    return (
        r'root ::= "{" points "}" | "```" "json"? "\n{" points "}\n```"'
        "\n"
        # Blanks, line breaks and a fence are allowed where models put them: held to the short form, the 1.5B writes all
        # into one point.
        r'points ::= blank "\"points\":" blank "[" blank '
        rf'(point (blank "," blank point){_times_suffix(0, most - 1)} blank)? "]" blank'
        "\n"
        rf'point ::= "{{" blank "\"t\":" blank "\"" char{{1,{MOST_FREE_CHARACTERS}}} "\"," blank '
        rf'"\"ids\":" blank "[" blank ids blank "]"{quote} blank "}}"'
        "\n"
        rf'ids ::= id ("," blank id){_times_suffix(0, MOST_IDS - 1)}'
        f"\nid ::= {one_of(ids)}\n{_JSON_TEXT}"
    )


def entries_grammar(ids: Iterable[int], most: int) -> str:
    """`[12] text` a line for each thing that was asked for, or "None"; a text may be no more than a name."""
    return (
        # What would end behind "None" or the last line must be free to end: else it goes round again.
        rf'root ::= "None" "."? | {_lines_rule("line", 1, most)}'
        "\n"
        rf'line ::= "[" id (", " id){_times_suffix(0, MOST_IDS - 1)} "] " text'
        f"\nid ::= {one_of(ids)}\n"
        rf"text ::= {_ANY_BEGINNING} [^\n]{_times_suffix(0, MOST_ENTRY_CHARACTERS)}"
        "\n"
    )


TIMES_TASKS = 3
"""Tasks a list may have, for each statement that the chosen length has."""


def write_up(form: Form, ids: Iterable[int], least: int, most: int) -> str:
    """Build the grammar of a form around its statements, `text [12, 13]`.

    The numbers are optional and looked up later: a model that must write them before it may end a line never ends it.
    """
    roots = {
        Form.PARAGRAPHS: f'root ::= led ("\\n\\n" led){_times_suffix(0, max(1, most // 3))} "\\n"?',
        # What is to be done doesn't get less because little was asked for: a task left out is worse than a long list.
        Form.ACTIONS: f'root ::= "None" "."? | {_lines_rule("item", 1, TIMES_TASKS * most)}',
        Form.QUESTIONS: f"root ::= {_lines_rule('pair', max(1, least // 2), most, 2)}\n"
        f'pair ::= question "\\n" cited\n{_QUESTION}',
        Form.OWN: f'root ::= line ("\\n"{{1,2}} line){_times_suffix(0, most)} "\\n"?\nline ::= "- "? led',
    }
    root = roots.get(form, f"root ::= {_lines_rule('item', least, most)}")
    free = MOST_PARAGRAPH_CHARACTERS if form in (Form.PARAGRAPHS, Form.OWN) else MOST_FREE_CHARACTERS
    return (
        f"{root}\n"
        'item ::= "- " cited\n'
        # In running text numbers may also stand before a sentence, as in what the model is shown.
        'led ::= (reference " "?)? cited\n'
        # The numbers may be missing: a model that has to write them before a line may end never ends it.
        f'cited ::= text (numbers " "? text){_times_suffix(0, MOST_CITED_A_LINE - 1)} numbers?\n'
        f"numbers ::= reference{_times_suffix(1, MOST_IDS)} [.,;:!?]?\n"
        f'reference ::= " "? "[" id ("," " "? id){_times_suffix(0, MOST_IDS - 1)} "]"\n'
        f"id ::= {one_of(ids)}\n"
        f"text ::= {_ANY_BEGINNING} {_ANY_SIGN}{_times_suffix(0, free)}\n"
    )


def _lines_rule(rule: str, least: int, most: int, breaks: int = 1) -> str:
    """Build a rule for a number of lines.

    The last needs no line break: a model that must write one continues after it.
    """
    # A model that has to write a break behind the last line goes on with more.
    between = '"\\n" ' * breaks
    return f'{rule} ({between}{rule}){_times_suffix(least - 1, most - 1)} "\\n"?'


def one_of(numbers: Iterable[int]) -> str:
    """Return a rule body that matches one of these numbers, digit by digit: long lists of alternatives are slow to
    parse.
    """
    # Digit by digit, since llama.cpp takes long lists of alternatives one by one.
    return _digits_rule(sorted({str(number) for number in numbers}))


def _digits_rule(texts: Sequence[str]) -> str:
    branches: list[str] = []
    for digit in sorted({text[0] for text in texts}):
        rests = [text[1:] for text in texts if text[0] == digit]
        longer = [rest for rest in rests if rest]
        if not longer:
            branches.append(f'"{digit}"')
        elif "" in rests:
            branches.append(f'"{digit}" ({_digits_rule(longer)})?')
        else:
            branches.append(f'"{digit}" ({_digits_rule(longer)})')
    return " | ".join(branches)


def _times_suffix(least: int, most: int) -> str:
    return f"{{{least},{max(least, most)}}}"
