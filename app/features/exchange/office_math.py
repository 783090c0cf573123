"""Formulas as Office writes them (OMML, ECMA-376 part 1, 22.1), made of LaTeX by way of MathML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

MOST_CHARACTERS = 2_000
MOST_NESTING = 40
_NAMESPACES = (
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" '
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
)
_FONT = '<w:rPr><w:rFonts w:ascii="Cambria Math" w:hAnsi="Cambria Math"/></w:rPr>'
_LARGE = frozenset("∑∏∐∫∬∭∮⋃⋂⨁⨂⋁⋀")
_INTEGRALS = frozenset("∫∬∭∮")
_ENDS_OPERAND = frozenset("=<>≤≥≈≠≡∼→⇒⇔,;+-−±")
"""Operators that end what a sum or an integral is taken of."""
_ACCENTS = {"^": "\u0302", "ˆ": "\u0302", "~": "\u0303", "˜": "\u0303", "→": "\u20d7", "˙": "\u0307", ".": "\u0307",
            "¨": "\u0308", "ˇ": "\u030c", "´": "\u0301", "`": "\u0300", "˘": "\u0306"}  # fmt: skip
_BARS = frozenset("―¯‾_")
_SPACES = {"-0.167em": "", "0.167em": "\u2009", "0.222em": "\u2005", "0.278em": "\u2004", "1em": "\u2003"}
_BOUNDED = frozenset(("msub", "msup", "msubsup", "munder", "mover", "munderover"))
_LIKE_ALIGN = ("aligned", "alignedat", "gathered", "split", "gather", "equation")


class NotTypeset(Exception):
    """Part of the formula has no equivalent in Word."""


def office_math(latex: str, *, is_block: bool) -> Any | None:
    """Convert a formula into an `m:oMath` element, inside `m:oMathPara` for a block; None if it must stay source."""
    from docx.oxml import parse_xml
    from latex2mathml.converter import convert_to_element

    # A stranger's formula may be of any length; a longer one stays its source.
    if len(latex) > MOST_CHARACTERS:
        return None
    # The library knows `align*` only; the others look the same in Word.
    for name in _LIKE_ALIGN:
        latex = latex.replace(f"\\begin{{{name}}}", "\\begin{align*}").replace(f"\\end{{{name}}}", "\\end{align*}")
    try:
        inside = _write_row(list(convert_to_element(latex)), 0)
    except Exception:  # noqa: BLE001 - the library has no error of its own for what it stumbles over
        return None
    if not inside:
        return None
    math = f"<m:oMath {_NAMESPACES}>{inside}</m:oMath>"
    return parse_xml(f"<m:oMathPara {_NAMESPACES}>{math}</m:oMathPara>" if is_block else math)


def _write_row(children: Sequence[Element], depth: int) -> str:
    """Write elements in a row; a sum or an integral takes what follows as its operand."""
    if depth > MOST_NESTING:
        raise NotTypeset
    if (fenced := _write_fenced(children, depth)) is not None:
        return fenced
    written, at = "", 0
    while at < len(children):
        at += 1
        child = children[at - 1]
        # A binomial is brackets around a fraction without a line.
        if child.get("minsize") and _is_binomial(children[at - 1 : at + 2]):
            written += _write_brackets(
                _element_text(child), _write_element(children[at], depth + 1), _element_text(children[at + 1])
            )
            at += 2
        # In Word a sum holds what it sums, which LaTeX leaves to the reader.
        elif _is_large(child):
            end = at
            while end < len(children) and not _ends_operand(children[end]):
                end += 1
            written += _write_nary(child, _write_row(children[at:end], depth + 1), depth)
            at = end
        else:
            written += _write_element(child, depth)
    return written


def _write_fenced(children: Sequence[Element], depth: int) -> str | None:
    """Write brackets that grow with their content."""
    if not children or children[0].tag != "mo":
        return None
    first, last = children[0], children[-1]
    # A matrix is a table between two brackets, or behind one.
    holds_table = len(children) in (2, 3) and children[1].tag == "mtable"
    if first.get("form") != "prefix" and not holds_table:
        return None
    is_closed = len(children) > 1 and last.tag == "mo" and (last.get("form") == "postfix" or holds_table)
    if not is_closed and not holds_table:
        return None
    closing = _element_text(last) if is_closed else ""
    return _write_brackets(
        _element_text(first), _write_row(children[1:-1] if is_closed else children[1:], depth + 1), closing
    )


def _write_brackets(opening: str, inside: str, closing: str) -> str:
    marks = f"<m:begChr m:val={quoteattr(opening)}/><m:endChr m:val={quoteattr(closing)}/>"
    return f"<m:d><m:dPr>{marks}</m:dPr><m:e>{inside}</m:e></m:d>"


def _is_binomial(three: Sequence[Element]) -> bool:
    return [element.tag for element in three] == ["mo", "mfrac", "mo"] and three[1].get("linethickness") == "0"


def _write_element(element: Element, depth: int) -> str:
    if depth > MOST_NESTING or element.tag not in _WRITERS:
        raise NotTypeset
    # A bounded sum within a script has no operand beside it.
    is_bounded = element.tag in _BOUNDED and _is_large(element)
    return _write_nary(element, "", depth) if is_bounded else _WRITERS[element.tag](element, depth)


def _require_parts(parts: Sequence[Element], count: int) -> Sequence[Element]:
    if len(parts) != count:
        raise NotTypeset
    return parts


def _write_script(tag: str, names: Sequence[str], parts: Sequence[Element], depth: int, properties: str = "") -> str:
    written = (
        f"<m:{name}>{_write_element(part, depth + 1)}</m:{name}>"
        for name, part in zip(names, _require_parts(parts, len(names)), strict=True)
    )
    return f"<m:{tag}>{properties}{''.join(written)}</m:{tag}>"


def _write_subscript(element: Element, depth: int) -> str:
    parts = list(element)
    if parts and parts[0].tag == "mo" and len(_element_text(parts[0])) > 1:  # what x goes to, below "lim"
        return _write_script("limLow", ("e", "lim"), parts, depth)
    return _write_script("sSub", ("e", "sub"), parts, depth)


def _write_fraction(element: Element, depth: int) -> str:
    properties = '<m:fPr><m:type m:val="noBar"/></m:fPr>' if element.get("linethickness") == "0" else ""
    return _write_script("f", ("num", "den"), list(element), depth, properties)


def _write_root(element: Element, depth: int) -> str:
    base, degree = _require_parts(list(element), 2)
    return (
        f"<m:rad><m:deg>{_write_element(degree, depth + 1)}</m:deg><m:e>{_write_element(base, depth + 1)}</m:e></m:rad>"
    )


def _square_root(element: Element, depth: int) -> str:
    hidden = '<m:radPr><m:degHide m:val="1"/></m:radPr><m:deg/>'
    return f"<m:rad>{hidden}<m:e>{_write_row(list(element), depth + 1)}</m:e></m:rad>"


def _write_over(element: Element, depth: int) -> str:
    # Parts of other counts are shapes that Word doesn't have.
    base, above = _require_parts(list(element), 2)
    inside, mark = f"<m:e>{_write_element(base, depth + 1)}</m:e>", _element_text(above)
    if above.tag == "mo" and mark in _ACCENTS:
        return f'<m:acc><m:accPr><m:chr m:val="{_ACCENTS[mark]}"/></m:accPr>{inside}</m:acc>'
    if above.tag == "mo" and mark in _BARS:
        return f'<m:bar><m:barPr><m:pos m:val="top"/></m:barPr>{inside}</m:bar>'
    if above.tag == "mo" and mark == "⏞":
        return _write_brace(mark, "top", inside)
    return f"<m:limUpp>{inside}<m:lim>{_write_element(above, depth + 1)}</m:lim></m:limUpp>"


def _write_under(element: Element, depth: int) -> str:
    base, below = _require_parts(list(element), 2)
    inside, mark = f"<m:e>{_write_element(base, depth + 1)}</m:e>", _element_text(below)
    if below.tag == "mo" and mark in _BARS:
        return f'<m:bar><m:barPr><m:pos m:val="bot"/></m:barPr>{inside}</m:bar>'
    if below.tag == "mo" and mark == "⏟":
        return _write_brace(mark, "bot", inside)
    return f"<m:limLow>{inside}<m:lim>{_write_element(below, depth + 1)}</m:lim></m:limLow>"


def _write_brace(mark: str, place: str, inside: str) -> str:
    look = f'<m:chr m:val="{mark}"/><m:pos m:val="{place}"/><m:vertJc m:val="{"top" if place == "bot" else "bot"}"/>'
    return f"<m:groupChr><m:groupChrPr>{look}</m:groupChrPr>{inside}</m:groupChr>"


def _write_table(element: Element, depth: int) -> str:
    written = "".join(
        "<m:mr>" + "".join(f"<m:e>{_write_row(list(cell), depth + 1)}</m:e>" for cell in row) + "</m:mr>"
        for row in element
    )
    if not written:
        raise NotTypeset
    return f"<m:m>{written}</m:m>"


def _is_large(element: Element) -> bool:
    """Return whether it is a sum, an integral or the like, with or without bounds."""
    operator = element
    if element.tag in _BOUNDED and len(element):
        operator = element[0]
    return operator.tag == "mo" and _element_text(operator) in _LARGE


def _ends_operand(element: Element) -> bool:
    return element.tag == "mo" and (_element_text(element) in _ENDS_OPERAND or element.get("form") == "postfix")


def _write_nary(element: Element, operand: str, depth: int) -> str:
    operator = element if element.tag == "mo" else element[0]
    bounds = list(element)[1:]
    lower = bounds[0] if bounds and element.tag not in ("msup", "mover") else None
    upper = bounds[-1] if bounds and element.tag not in ("msub", "munder") else None
    sign = _element_text(operator)
    # Bounds of an integral stand behind it, those of a sum above and below.
    look = f'<m:chr m:val="{sign}"/><m:limLoc m:val="{"subSup" if sign in _INTEGRALS else "undOvr"}"/>'
    hidden = "".join(
        f'<m:{name}Hide m:val="1"/>' for name, element in (("sub", lower), ("sup", upper)) if element is None
    )
    below, above = ("" if element is None else _write_element(element, depth + 1) for element in (lower, upper))
    return (
        f"<m:nary><m:naryPr>{look}{hidden}</m:naryPr><m:sub>{below}</m:sub><m:sup>{above}</m:sup>"
        f"<m:e>{operand}</m:e></m:nary>"
    )


def _write_run(element: Element, _depth: int) -> str:
    text = _element_text(element)
    if "\\" in text or (text == "&" and element.tag == "mi"):  # a command or a mark that the library does not know
        raise NotTypeset
    if not text:
        return ""
    look = ""
    # Words in a formula are upright, and so are names of functions.
    if element.tag == "mtext":
        look = "<m:rPr><m:nor/></m:rPr>"
    elif len(text) > 1 and text.isalpha():
        look = '<m:rPr><m:sty m:val="p"/></m:rPr>'
    return f'<m:r>{look}{_FONT}<m:t xml:space="preserve">{escape(text)}</m:t></m:r>'


def _write_space(element: Element, _depth: int) -> str:
    # Word has no line break inside a formula.
    if element.get("linebreak"):
        raise NotTypeset
    space = _SPACES.get(element.get("width", ""), "\u2003" if element.get("width") else "")
    return f'<m:r>{_FONT}<m:t xml:space="preserve">{space}</m:t></m:r>' if space else ""


def _element_text(element: Element) -> str:
    """Return its text, unescaped: the library writes some characters as references."""
    from html import unescape

    return unescape(element.text or "")


def _write_inside(element: Element, depth: int) -> str:
    return _write_row(list(element), depth + 1)


def _write_power(element: Element, depth: int) -> str:
    return _write_script("sSup", ("e", "sup"), list(element), depth)


def _sub_and_power(element: Element, depth: int) -> str:
    return _write_script("sSubSup", ("e", "sub", "sup"), list(element), depth)


_WRITERS: dict[str, Callable[[Element, int], str]] = {
    **dict.fromkeys(("mi", "mn", "mo", "mtext"), _write_run),
    **dict.fromkeys(("math", "mrow", "mstyle", "mpadded", "mphantom"), _write_inside),
    **dict.fromkeys(("msubsup", "munderover"), _sub_and_power),
    "mspace": _write_space,
    "msub": _write_subscript,
    "msup": _write_power,
    "mover": _write_over,
    "munder": _write_under,
    "mfrac": _write_fraction,
    "msqrt": _square_root,
    "mroot": _write_root,
    "mtable": _write_table,
}
