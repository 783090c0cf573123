"""A figure as it is written ("3,700", "3.700,50"), and the scale and the unit that follow it ("million", "km²")."""

from __future__ import annotations

import re
from decimal import Decimal

from app.features.summary import check_units as units

MANY_DIGITS = 30
"""Longer runs of digits are compared as text."""
_AFTER = re.compile(r" {0,2}-? ?(°?[^\W\d_]+(?:[²³23](?!\d))?(?:/[^\W\d_]+)?|[%‰€$£¥₹₽℃℉])\.?")
_PER_CENT = re.compile(r" ?per cent\b|por ciento\b|per cento\b|por cento\b|pour cent\b", re.IGNORECASE)
_POINTS = re.compile(r" ?(?:percentage|percent|%)[ -]points?\b", re.IGNORECASE)
_SCALES_AFTER_CJK = re.compile(r"[万萬億亿兆만억]")
_UNIT_AFTER_CJK = re.compile(r"公里|メートル|米|秒|分钟|天|日間|元|円|日元|美元|人民币")


def scale_after(plain: str, end: int, *, is_money: bool) -> tuple[Decimal, int]:
    """What the number that ends at `end` is to be multiplied by ("million": 1,000,000; 1), and where that ends."""
    scale = Decimal(1)
    attached = plain[end : end + 1]
    if attached and not plain[end + 1 : end + 2].isalnum():
        found = units.ATTACHED_SCALES.get(attached) or (units.MONEY_SCALES.get(attached) if is_money else None)
        if found:
            return found, end + 1
    cjk = _SCALES_AFTER_CJK.match(plain, end)
    if cjk:
        return units.SCALES[cjk[0]], cjk.end()
    for _ in range(2):  # "mil millones", "thousand million"
        match = _AFTER.match(plain, end)
        more = units.SCALES.get(match[1].casefold()) if match else None
        if match is None or more is None:
            break
        scale, end = scale * more, match.end(1)
        if plain[end : end + 2] in (". ", ".") and match[1].casefold() in {"mio", "mrd", "tsd", "bn", "млн", "млрд"}:
            end += 1
    for joiner in ("de ", "di ", "of "):
        if scale > 1 and plain[end : end + 4] == f" {joiner}" and unit_after(plain, end + len(joiner))[0]:
            return scale, end + len(joiner)
    return scale, end


def unit_after(plain: str, end: int) -> tuple[units.Unit | None, int]:
    """The unit of the number that ends at `end`, and where it ends; None where what follows is no unit."""
    for pattern, name in ((_POINTS, "pp"), (_PER_CENT, "%")):
        match = pattern.match(plain, end)
        if match:
            return units.UNITS[name], match.end()
    match = _UNIT_AFTER_CJK.match(plain, end) or _AFTER.match(plain, end)
    if match is None:
        return None, end
    word = match[match.lastindex or 0]
    if word == "s" and plain[end] == "s" and plain[end - 1] == "0":
        return None, end  # "the 1990s"
    if len(word) == 1 and word.isalpha() and word not in units.UNITS:
        return None, end  # "5 M" or "3 H" is no unit, "5 m" and "3 h" are
    found = units.UNITS.get(word) or units.UNITS.get(word.casefold())
    return (found, match.end(match.lastindex or 0)) if found else (None, end)


def read_figure(figure: str) -> tuple[Decimal | None, str, bool]:
    """(value, digits, whether its separator may be read in two ways) of "3,700", "3.7", "3.700,50"."""
    groups, marks = re.split(r"\D", figure), re.findall(r"\D", figure.replace(" ", "'"))
    digits = "".join(groups)
    if len(digits) > MANY_DIGITS:
        return None, digits, False
    if not marks:
        return Decimal(digits), digits, False
    value, is_loose = _separated(groups, marks)
    return value, figure if value is None else digits, is_loose


def _separated(groups: list[str], marks: list[str]) -> tuple[Decimal | None, bool]:
    """The value of groups of digits with marks between them; None where no rule of writing numbers fits ("1.2.3")."""
    kinds = list(dict.fromkeys(marks))
    threes = all(len(group) == 3 for group in groups[1:]) and 0 < len(groups[0]) <= 3 and groups[0] != "0"
    indian = all(len(group) == 2 for group in groups[1:-1]) and len(groups[-1]) == 3 and 0 < len(groups[0]) <= 2
    whole, decimal = "".join(groups), "".join(groups[:-1]) + "." + groups[-1]
    if "/" in kinds or len(kinds) > 2:
        return None, False
    if len(kinds) == 2:
        is_decimal = marks.count(kinds[1]) == 1 and marks[-1] == kinds[1]
        return (Decimal(decimal) if is_decimal else None), False
    if len(marks) > 1 or kinds == ["'"]:
        return (Decimal(whole) if threes or (indian and len(marks) > 1) else None), False
    return Decimal(decimal if kinds == ["."] or not threes else whole), threes
