"""Parse a chat's text as Markdown, and write it as harmless HTML.

Every tag comes from a table here and every word passes through `escape`: raw HTML is text, a picture is a link to it,
links lead only to web or mail addresses, formulas are their source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from html import escape
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.texmath import texmath_plugin

from app.language.scripts import is_right_to_left

MOST_CHARACTERS = 100_000
"""A longer text is shown as it is written: some of Markdown takes more than twice as long for twice the text."""
LONGEST_FORMULA = 2_000
"""In brackets within a line, as the window has it."""
MOST_NESTING = 20
CLOSING = {"\\(": "\\)", "\\[": "\\]"}
_LINK = re.compile(r"https?://|mailto:", re.IGNORECASE)
_TASK = re.compile(r"\[([ xX])\] ")
_ALIGNED = re.compile(r"text-align:(left|right|center)")
_NOTE = re.compile(r" {0,3}\[\^([^\]\s]{1,60})\]:")
_BEGINS_HTML = re.compile(r"^(\s{0,3}(?:>\s?|[-+*]\s+|\d{1,9}[.)]\s+)*)<(?=[!?/a-zA-Z])")


@cache
def _make_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": MOST_NESTING}).enable(["table", "strikethrough"])
    parser.disable(["lheading", "html_block", "html_inline"])  # as the window reads it
    texmath_plugin(parser, delimiters="brackets")
    parser.inline.ruler.at(
        "math_inline", _bracketed_formula
    )  # that of the library looks to the text's end for every bracket
    dollarmath_plugin(parser, allow_space=False, allow_digits=False, double_inline=True)
    amsmath_plugin(parser)
    footnote_plugin(parser, inline=False)
    parser.validateLink = lambda url: bool(_LINK.match(url))  # type: ignore[method-assign]
    return parser


def _bracketed_formula(state: StateInline, silent: bool) -> bool:
    if (opening := state.src[state.pos : state.pos + 2]) not in CLOSING:
        return False
    begin = state.pos + 2
    # Bounded: an opening bracket without a closing one would be looked for to the end of the text.
    if (end := state.src.find(CLOSING[opening], begin, min(begin + LONGEST_FORMULA, state.posMax))) <= begin:
        return False
    if not silent:
        token = state.push("math_inline", "math", 0)
        token.markup, token.content = opening, state.src[begin:end]
    state.pos = end + 2
    return True


def tokens_of(text: str) -> list[Token]:
    """Parse into markdown-it's tokens; a very long text becomes one code block."""
    # Some of Markdown takes more than twice as long for twice the text.
    if len(text) > MOST_CHARACTERS:
        token = Token("fence", "code", 0)
        token.content = text
        return [token]
    tokens = _make_parser().parse(text)
    for before, token in pairwise(tokens):
        # A task is a list item that begins with a box; markdown-it has no rule for it.
        if before.type == "paragraph_open" and token.children and token.children[0].type == "text":
            token.children[0].content = _TASK.sub(_task_box, token.children[0].content, count=1)
    return tokens


def _task_box(found: re.Match[str]) -> str:
    if found.start():
        return found[0]
    return "☐ " if found[1] == " " else "☑ "


def formula_source(token: Token) -> str:
    """Return a formula as it was written."""
    content = token.content
    return f"{token.markup}{content}{CLOSING.get(token.markup, token.markup)}"


def is_formula(token: Token) -> bool:
    return token.type.startswith("math_") or token.type == "amsmath"


def note_number(token: Token) -> int:
    """Return a footnote's number, at its references and its text."""
    return int(token.meta.get("id", 0)) + 1


_BLOCKS = {
    "paragraph": "p",
    "blockquote": "blockquote",
    "bullet_list": "ul",
    "ordered_list": "ol",
    "list_item": "li",
    "table": "table",
    "thead": "thead",
    "tbody": "tbody",
    "tr": "tr",
    "th": "th",
    "td": "td",
    "strong": "strong",
    "em": "em",
    "s": "s",
    "footnote_block": "div",
    "footnote": "div",
    "link": "a",
}
_OWN_SIDE = ("p", "blockquote", "li", "th", "td")
"""Tags whose direction follows their own text."""


def as_html(text: str) -> str:
    """Render as HTML; headings start two levels down, below the page's own."""
    return "".join(_render_html(tokens_of(text)))


def _render_html(tokens: Sequence[Token]) -> Iterator[str]:
    note = ""  # the number of a footnote stands in its first paragraph
    for place, token in enumerate(tokens):
        if token.type == "inline":
            yield note
            yield from _render_html(token.children or [])
            note = ""
        elif token.type == "footnote_open":
            note = f"[{note_number(token)}] "
            yield "<div>"
        elif token.hidden:
            continue
        elif token.nesting:
            yield _render_bracket(token, tokens, place)
        else:
            yield _LEAVES.get(token.type, _formula_or_words)(token)


def _render_bracket(token: Token, tokens: Sequence[Token], place: int) -> str:
    name = token.type.removesuffix("_open").removesuffix("_close")
    tag = f"h{min(6, int(token.tag[1]) + 2)}" if name == "heading" else _BLOCKS.get(name, "span")
    if token.nesting < 0:
        # A line break inside a line's tags would become a blank.
        return f"</{tag}>{'' if tag in ('a', 'strong', 'em', 's', 'span') else chr(10)}"
    attributes = _direction_attribute(tokens, place) if tag in _OWN_SIDE or name == "heading" else ""
    # Only digits: the attribute comes from a stranger's text.
    if name == "ordered_list" and isinstance(start := token.attrGet("start"), int):
        attributes += f' start="{start}"'
    elif aligned := _ALIGNED.search(str(token.attrGet("style") or "")):
        attributes += f' style="text-align: {aligned[1]}"'
    elif name == "link":
        attributes += f' href="{escape(str(token.attrGet("href") or ""))}" rel="noreferrer"'
    return f"<{tag}{attributes}>"


def _direction_attribute(tokens: Sequence[Token], place: int) -> str:
    """Return the direction attribute: browsers detect a text's direction, PDF printing doesn't."""
    # The nearest words decide; QTextDocument, which prints the PDF, doesn't look itself.
    words = next((token.content for token in tokens[place + 1 : place + 6] if token.type == "inline"), "")
    return f' dir="{"rtl" if is_right_to_left(words[:2_000]) else "auto"}"'


def _formula_or_words(token: Token) -> str:
    if not is_formula(token):
        return escape(token.content)
    is_block = token.type in ("math_block", "math_block_label", "amsmath")
    source = f'<code class="formula" dir="ltr">{escape(formula_source(token))}</code>'
    return f'<pre dir="ltr">{source}</pre>\n' if is_block else source


def _render_code(token: Token) -> str:
    language = (token.info or "").strip().partition(" ")[0]
    label = f'<div class="language">{escape(language)}</div>' if language else ""
    return f'{label}<pre dir="ltr"><code>{escape(token.content.rstrip(chr(10)))}</code></pre>\n'


def _render_picture(token: Token) -> str:
    address = escape(str(token.attrGet("src") or ""))
    return f'<a href="{address}" rel="noreferrer">{escape(token.content) or address}</a>'


_LEAVES: dict[str, Callable[[Token], str]] = {
    "softbreak": lambda _token: "\n",
    "hardbreak": lambda _token: "<br>\n",
    "hr": lambda _token: "<hr>\n",
    "code_inline": lambda token: f'<code dir="ltr">{escape(token.content)}</code>',
    "fence": _render_code,
    "code_block": _render_code,
    "image": _render_picture,
    "footnote_ref": lambda token: f"<sup>[{note_number(token)}]</sup>",
    "footnote_anchor": lambda _token: "",
}


def as_markdown(text: str, number: int = 0) -> str:
    """Make a text self-contained: close code, escape HTML at line starts, and rename footnotes by `number` (0: no
    other texts follow).
    """
    if len(text) > MOST_CHARACTERS:
        return text
    lines, code = split_lines(text), set[int]()
    open_fence = ""
    # The parser tells what is code, where an escape would be shown.
    for token in _make_parser().parse(text):
        if token.type in ("fence", "code_block") and token.map:
            code.update(range(*token.map))
            if token.type == "fence" and token.level == 0:
                open_fence = _open_fence(token, lines)
    notes = _rename_footnotes([line for at, line in enumerate(lines) if at not in code], number)
    # Raw HTML at a line's start would swallow what follows.
    safe = [line if at in code else notes(_BEGINS_HTML.sub(r"\1\\<", line)) for at, line in enumerate(lines)]
    # A fence that is never closed would make code of all later turns.
    return "\n".join(safe + [open_fence] * bool(open_fence)).strip("\n")


def split_lines(text: str) -> list[str]:
    """Split where Markdown ends lines; elsewhere the numbers of the parser's lines would be those of others."""
    return re.split("\r\n?|\n", text)


def _rename_footnotes(lines: list[str], number: int) -> Callable[[str], str]:
    """Return a function that renames the footnotes defined in these lines."""
    labels = {found[1] for line in lines if (found := _NOTE.match(line))} if number else set()
    if not labels:
        return lambda line: line
    named = re.compile(r"\[\^(" + "|".join(map(re.escape, labels)) + r")\]")
    # Footnotes of two answers may have the same name in one file.
    return lambda line: named.sub(rf"[^{number}-\1]", line)


def _open_fence(token: Token, lines: list[str]) -> str:
    """Return what closes an unclosed code block at the text's end; "" if it is closed."""
    first, end = token.map or [0, 0]
    # Text behind it: the fence ended with its list or quotation.
    if any(line.strip() for line in lines[end:]):
        return ""
    last = lines[end - 1].strip()
    is_closed = end - first > 1 and last.startswith(token.markup) and not last.strip(token.markup[0])
    return "" if is_closed else token.markup
