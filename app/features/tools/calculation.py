"""Calculates what is written as a formula: parsed, never run as code, in exact fractions with units."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal
from fractions import Fraction

from app.core.lazy_dataclasses import dataclass, field, replace
from app.features.tools.tool import ToolRefused
from app.features.tools.units import NamedUnit, find_unit

MOST_CHARACTERS = 500
MOST_DEPTH = 40
MOST_BITS = 40_000
"""Of a number: about 12,000 digits."""
MOST_EXPONENT = 3_000
MOST_DIGITS = 1_000
"""Of an exact result that is written out."""
ROUNDED_DIGITS = 28
FLOAT_DIGITS = 15
MOST_FACTORIAL = 1_000
_CONTEXT = Context(prec=ROUNDED_DIGITS + 12, Emin=-MOST_BITS, Emax=MOST_BITS)
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?")
_NUMBER = re.compile(r"(?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_WORD = re.compile(r"log10|log2|°?[^\W\d_]+|[°\"]")
_SIGN = re.compile(r"\*\*|->|[-+*/^%!(),×·÷−→√]")
_SAME = {
    "×": "*", "·": "*", "x": "*", "X": "*", "times": "*", "of": "*", "÷": "/", "per": "/", "−": "-", "minus": "-",
    "plus": "+", "**": "^", "→": "to", "->": "to", "in": "in", "into": "to", "as": "to", "√": "sqrt",
}  # fmt: skip
_RAISED = {"²": 2, "³": 3}
_END = ""


class CalculationRefused(ToolRefused):
    """A formula that can't be calculated, with the reason."""


@dataclass(frozen=True)
class CalculatedNumber:
    """A number in base units. `digits` is how many of it are known, None for an exact one.

    `units` are those it was written with, by which a result is written again.
    """

    value: Fraction
    dimensions: Mapping[str, int] = field(default_factory=dict)
    digits: int | None = None
    units: tuple[NamedUnit, ...] = ()
    is_percentage: bool = False
    is_temperature: bool = False
    is_literal: bool = False
    """A number as it was written, without a unit so far."""


MINUS_ONE = CalculatedNumber(Fraction(-1))


def calculate_formula(formula: str) -> str:
    """Return a formula's result with its unit, after "=" if it is exact and after "≈" if it is rounded.

    Raises CalculationRefused with a sentence.
    """
    if len(formula) > MOST_CHARACTERS:
        raise CalculationRefused(f"A formula has at most {MOST_CHARACTERS} characters. Calculate it in parts.")
    if not (tokens := _split_tokens(formula.strip().rstrip("=?").strip())):
        raise CalculationRefused("There is nothing to calculate.")
    try:
        return _FormulaReading(tokens).write_result()
    except ArithmeticError:  # beyond what decimals and floats hold
        raise CalculationRefused("That becomes too large.") from None


def _split_tokens(formula: str) -> list[str]:
    tokens, at = list[str](), 0
    commas = [False]
    while at < len(formula):
        if formula[at].isspace():
            at += 1
            continue
        # Between the brackets of a function a comma is between two numbers.
        found = None if commas[-1] else _GROUPED.match(formula, at)
        found = found or _NUMBER.match(formula, at) or _WORD.match(formula, at) or _SIGN.match(formula, at)
        if found is None:
            raise CalculationRefused(f"“{formula[at]}” can’t be calculated with. Leave it out.")
        if (token := found[0]) == "(":
            commas.append(bool(tokens) and tokens[-1] in _FUNCTIONS)
        elif token == ")" and len(commas) > 1:
            commas.pop()
        at = found.end()
        # "m2" is a unit, "x2" is none.
        squared = token + formula[at : at + 1]
        if re.fullmatch(r"[^\W\d_]+[23]", squared) and not formula[at + 1 : at + 2].isdigit() and find_unit(squared):
            token, at = squared, at + 1
        tokens.append(_SAME.get(token, token))
    return tokens


class _FormulaReading:
    """Recursive descent over the tokens; every step computes at once."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens, self._at, self._depth = [*tokens, _END], 0, 0

    @property
    def _next(self) -> str:
        return self._tokens[self._at]

    def _take_token(self, *wanted: str) -> str:
        """Step over the next token if it is one of these, and return it; else return the end."""
        if self._next in wanted and self._next != _END:
            self._at += 1
            return self._tokens[self._at - 1]
        return _END

    def write_result(self) -> str:
        value = self._read_sum()
        if not self._take_token("to", "in"):
            self._expect_end()
            return _write_value(value)
        if (target := find_unit(self._next)) is not None and target.zero is not None:
            self._at += 1
            self._expect_end()
            return _write_temperature(value, target)
        begin = self._at
        wanted = self._read_product()
        self._expect_end()
        if not wanted.dimensions or wanted.value <= 0:
            raise CalculationRefused("Behind “to” stands a unit, such as “km/h”.")
        _same_kind(value, wanted, "converted into")
        number = _write_number(value.value / wanted.value, _fewer_digits(value, wanted))
        return f"{number} {''.join(self._tokens[begin : self._at])}"

    def _expect_end(self) -> None:
        if self._next != _END:
            raise CalculationRefused(f"“{self._next}” is not expected there.")

    def _read_sum(self) -> CalculatedNumber:
        value = self._read_product()
        while sign := self._take_token("+", "-"):
            other = self._read_product()
            value = _add(value, other if sign == "+" else _times(other, MINUS_ONE))
        return value

    def _read_product(self) -> CalculatedNumber:
        value = self._read_signed()
        while sign := self._take_token("*", "/", "%", "mod"):
            is_half = sign == "/" and value.is_literal
            other = self._read_signed()
            if sign in ("%", "mod"):
                value = _modulo(value, other)
            elif sign == "*":
                value = _times(value, other)
            elif is_half and other.units and self._tokens[self._at - 2][:1].isdigit():
                # "1/2 mile" is half a mile.
                value = _times(_divide(value, _divide(other, _one(other))), _one(other))
            else:
                value = _divide(value, other)
        return value

    def _read_signed(self) -> CalculatedNumber:
        while self._take_token("+"):
            pass
        if not self._take_token("-"):
            return self._read_power()
        behind = find_unit(self._tokens[self._at + 1]) if self._next[:1].isdigit() else None
        if behind is not None and behind.zero is not None:
            # A temperature below zero is no temperature with its sign turned.
            self._tokens[self._at] = f"-{self._next}"
            return self._read_power()
        return _times(self._read_deeper(self._read_signed), MINUS_ONE)

    def _read_deeper(self, read: Callable[[], CalculatedNumber]) -> CalculatedNumber:
        """Read what stands within something else, which is limited: Python's own stack is."""
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise CalculationRefused("That is nested too deeply.")
        value = read()
        self._depth -= 1
        return value

    def _read_power(self) -> CalculatedNumber:
        value = self._read_measure()
        return _raise(value, self._read_deeper(self._read_signed)) if self._take_token("^") else value

    def _read_measure(self) -> CalculatedNumber:
        return self._read_behind(self._read_atom())

    def _read_behind(self, value: CalculatedNumber) -> CalculatedNumber:
        """Read what stands behind a number: units, further parts ("5 ft 10 in"), percent and factorial."""
        while True:
            if (unit := self._take_unit(value)) is not None:
                value = _with_unit(value, unit)
            elif value.units and self._next[:1].isdigit() and not value.is_literal:
                value = _add(value, self._read_deeper(self._read_measure))
            elif self._next == "%" and not self._begins_operand(self._tokens[self._at + 1]):
                self._at += 1
                value = replace(_divide(value, CalculatedNumber(Fraction(100))), is_percentage=True)
            elif self._take_token("!"):
                value = _factorial(value)
            else:
                return value

    def _take_unit(self, value: CalculatedNumber) -> CalculatedNumber | NamedUnit | None:
        """Step over a unit, raised where it is ("m^2", "m²"), or a constant that stands behind a number."""
        word = self._next
        # "5 in to cm" are inches, "5 ft in cm" are not.
        behind = self._tokens[self._at + 1] if word != _END else _END
        if word == "in" and (not value.is_literal or (behind != "in" and find_unit(behind) is not None)):
            return None
        if word == _END or not (word[0].isalpha() or word[0] in '°"') or word in ("to", "mod"):
            return None
        if word in _FUNCTIONS and behind == "(":  # "min(" is no minute
            return None
        unit = find_unit(word)
        power = 1
        if unit is None and word[-1] in _RAISED:
            unit, power = find_unit(word[:-1]), _RAISED[word[-1]]
        if unit is None:
            constant = _CONSTANTS.get(word)
            self._at += constant is not None
            return constant
        self._at += 1
        if unit.zero is not None:
            return unit
        if self._next == "^" and re.fullmatch(r"\d", self._tokens[self._at + 1]):
            power = int(self._tokens[self._at + 1])
            self._at += 2
        return _raise(CalculatedNumber(unit.factor, unit.dimensions, units=(unit,)), CalculatedNumber(Fraction(power)))

    @staticmethod
    def _begins_operand(token: str) -> bool:
        return token[:1].isdigit() or token in ("(", *_FUNCTIONS, *_CONSTANTS)

    def _read_atom(self) -> CalculatedNumber:
        if (token := self._next) == _END:
            raise CalculationRefused("Something is missing at the end.")
        self._at += 1
        if token.lstrip("-")[:1].isdigit() or token[0] == ".":
            return CalculatedNumber(_number_of(token), is_literal=True)
        if token == "(":
            value = replace(self._read_deeper(self._read_sum), is_literal=False)
            if not self._take_token(")"):
                raise CalculationRefused("A closing bracket is missing.")
            return value
        if token in _FUNCTIONS:
            return self._read_function(token)
        if token in _CONSTANTS:
            return _CONSTANTS[token]
        self._at -= 1
        unit = self._take_unit(CalculatedNumber(Fraction(1), is_literal=True))
        if isinstance(unit, CalculatedNumber):
            return unit
        if unit is not None:
            raise CalculationRefused(f"Before “{token}” a number is missing.")
        if not token[0].isalpha():
            raise CalculationRefused(f"“{token}” is not expected there.")
        names = ", ".join(_FUNCTIONS)  # to a model, in every language
        raise CalculationRefused(f"“{token}” is no unit and no function. Functions are {names}.")

    def _read_function(self, name: str) -> CalculatedNumber:
        if name == "sqrt" and self._next != "(":
            return _FUNCTIONS[name]([self._read_deeper(self._read_measure)])
        if not self._take_token("("):
            raise CalculationRefused(f"Behind “{name}” brackets are missing.")
        values = [self._read_deeper(self._read_sum)]
        while self._take_token(","):
            values.append(self._read_deeper(self._read_sum))
        if not self._take_token(")"):
            raise CalculationRefused("A closing bracket is missing.")
        try:
            return _FUNCTIONS[name](values)
        except ValueError:
            raise CalculationRefused(f"“{name}” can’t be calculated of that.") from None


def _number_of(token: str) -> Fraction:
    exponent = re.search(r"[eE]([+-]?\d+)$", token)
    if exponent is not None and (len(exponent[1]) > 5 or abs(int(exponent[1])) > MOST_EXPONENT):
        raise CalculationRefused("That number is too large or too small.")
    return Fraction(token.replace(",", "").replace("_", ""))


def _checked(value: CalculatedNumber) -> CalculatedNumber:
    if max(value.value.numerator.bit_length(), value.value.denominator.bit_length()) > MOST_BITS:
        raise CalculationRefused("That becomes too large.")
    return value


def _fewer_digits(one: CalculatedNumber, other: CalculatedNumber) -> int | None:
    return min([value.digits for value in (one, other) if value.digits is not None], default=None)


def _joined_units(one: CalculatedNumber, other: CalculatedNumber) -> tuple[NamedUnit, ...]:
    return tuple({unit.name: unit for unit in (*one.units, *other.units)}.values())


def _same_kind(one: CalculatedNumber, other: CalculatedNumber, done: str) -> None:
    if dict(one.dimensions) != dict(other.dimensions):
        first, second = (_unit_words(value)[0] or "a plain number" for value in (one, other))
        raise CalculationRefused(f"{first} can’t be {done} {second}.")


def _no_temperature(*values: CalculatedNumber) -> None:
    if any(value.is_temperature for value in values):
        raise CalculationRefused("Degrees can only be converted, such as “20 °C to °F”. Calculate with K.")


def _add(one: CalculatedNumber, other: CalculatedNumber) -> CalculatedNumber:
    _no_temperature(one, other)
    if other.is_percentage and not one.is_percentage:
        # As pocket calculators have it: 200 + 15% is 230.
        return _times(one, replace(other, value=1 + other.value, is_percentage=False))
    _same_kind(one, other, "added to")
    return _checked(
        CalculatedNumber(
            one.value + other.value,
            one.dimensions,
            _fewer_digits(one, other),
            _joined_units(one, other),
            is_percentage=one.is_percentage and other.is_percentage,
        )
    )


def _times(one: CalculatedNumber, other: CalculatedNumber) -> CalculatedNumber:
    _no_temperature(one, other)
    powers = {base: one.dimensions.get(base, 0) + power for base, power in other.dimensions.items()}
    dimensions = {base: power for base, power in {**one.dimensions, **powers}.items() if power}
    value = one.value * other.value
    # A sign before a percentage leaves it one.
    is_percentage = other is MINUS_ONE and one.is_percentage
    return _checked(
        CalculatedNumber(value, dimensions, _fewer_digits(one, other), _joined_units(one, other), is_percentage)
    )


def _divide(one: CalculatedNumber, other: CalculatedNumber) -> CalculatedNumber:
    if not other.value:
        raise CalculationRefused("Nothing can be divided by zero.")
    return _times(one, _raise(other, CalculatedNumber(Fraction(-1))))


def _modulo(one: CalculatedNumber, other: CalculatedNumber) -> CalculatedNumber:
    _no_temperature(one, other)
    _same_kind(one, other, "divided by")
    if not other.value:
        raise CalculationRefused("Nothing can be divided by zero.")
    return replace(one, value=one.value % other.value, digits=_fewer_digits(one, other), is_literal=False)


def _one(value: CalculatedNumber) -> CalculatedNumber:
    """Return one of the unit that a value was written with."""
    unit = value.units[0]
    return CalculatedNumber(unit.factor, unit.dimensions, units=value.units)


def _with_unit(value: CalculatedNumber, unit: CalculatedNumber | NamedUnit) -> CalculatedNumber:
    if isinstance(unit, CalculatedNumber):
        return _times(value, unit)
    if not value.is_literal or unit.zero is None:
        raise CalculationRefused("Degrees stand behind a number.")
    kelvins = value.value * unit.factor + unit.zero
    return CalculatedNumber(kelvins, unit.dimensions, units=(unit,), is_temperature=True)


def _raise(value: CalculatedNumber, exponent: CalculatedNumber) -> CalculatedNumber:
    _no_temperature(value, exponent)
    power = exponent.value
    if exponent.dimensions:
        raise CalculationRefused("An exponent has no unit.")
    if not value.value and power < 0:
        raise CalculationRefused("Nothing can be divided by zero.")
    if any((Fraction(count) * power).denominator != 1 for count in value.dimensions.values()):
        raise CalculationRefused("There is no such root of that unit.")
    dimensions = {base: int(count * power) for base, count in value.dimensions.items() if count * power}
    digits = _fewer_digits(value, exponent)
    if (root := _exact_root(value.value, power.denominator)) is not None:
        bits = max(root.numerator.bit_length(), root.denominator.bit_length())
        if abs(power.numerator) * bits > MOST_BITS and abs(root) not in (0, 1):
            raise CalculationRefused("That becomes too large.")
        return CalculatedNumber(root**power.numerator, dimensions, digits, value.units)
    if value.value < 0:
        raise CalculationRefused("A negative number has no such root.")
    found = _fraction_of(_CONTEXT.power(_decimal_of(value.value), _decimal_of(power)))
    return CalculatedNumber(found, dimensions, min(digits or ROUNDED_DIGITS, ROUNDED_DIGITS), value.units)


def _exact_root(value: Fraction, degree: int) -> Fraction | None:
    """Return a root if it is a fraction itself; None if not, or for a high degree."""
    if degree == 1:
        return value
    if value < 0 or degree > 64:
        return None
    parts = [_whole_root(part, degree) for part in (value.numerator, value.denominator)]
    return Fraction(parts[0], parts[1]) if parts[0] is not None and parts[1] is not None else None


def _whole_root(number: int, degree: int) -> int | None:
    """Return the whole root of a whole number, by Newton's method; None if there is none."""
    if not number:
        return 0
    root = 1 << (number.bit_length() // degree + 1)
    while (better := ((degree - 1) * root + number // root ** (degree - 1)) // degree) < root:
        root = better
    return root if root**degree == number else None


def _decimal_of(value: Fraction) -> Decimal:
    return _CONTEXT.divide(Decimal(value.numerator), Decimal(value.denominator))


def _fraction_of(found: Decimal) -> Fraction:
    if not found.is_finite() or abs(found.adjusted()) > MOST_EXPONENT:
        raise CalculationRefused("That becomes too large.")
    return Fraction(found)


def _plain(values: Sequence[CalculatedNumber], count: int = 1) -> Fraction:
    """Return the only number of a function that takes no unit; raises ValueError for others."""
    if len(values) != count or any(value.dimensions for value in values):
        raise ValueError
    return values[0].value


def _factorial(value: CalculatedNumber) -> CalculatedNumber:
    if value.dimensions or value.value.denominator != 1 or not 0 <= value.value <= MOST_FACTORIAL:
        raise CalculationRefused(f"Factorials are of whole numbers up to {MOST_FACTORIAL:,}.")
    return CalculatedNumber(Fraction(math.factorial(int(value.value))), digits=value.digits)


def _rounded(values: Sequence[CalculatedNumber], method: Callable[[Fraction], int]) -> CalculatedNumber:
    value = values[0]
    places = int(_plain(values[1:])) if len(values) > 1 else 0
    if len(values) > 2 or abs(places) > MOST_EXPONENT:
        raise ValueError
    # In the unit that it was written in, since nobody rounds base units.
    unit = _one(value).value if value.units else Fraction(1)
    step = unit / Fraction(10) ** places
    return replace(value, value=method(value.value / step) * step, digits=None, is_literal=False)


def _half_up(value: Fraction) -> int:
    return math.floor(abs(value) + Fraction(1, 2)) * (-1 if value < 0 else 1)


def _chosen(values: Sequence[CalculatedNumber], choose: Callable[..., CalculatedNumber]) -> CalculatedNumber:
    _total(values)  # all of one kind
    return choose(values, key=lambda value: value.value)


def _total(values: Sequence[CalculatedNumber]) -> CalculatedNumber:
    total = values[0]
    for value in values[1:]:
        total = _add(total, value)
    return replace(total, is_literal=False)


def _logarithm(values: Sequence[CalculatedNumber], base: int) -> CalculatedNumber:
    if (value := _plain(values)) <= 0:
        raise ValueError
    decimal = _decimal_of(value)
    found = decimal.log10(_CONTEXT) if base == 10 else decimal.ln(_CONTEXT)
    if base == 2:
        found = _CONTEXT.divide(found, Decimal(2).ln(_CONTEXT))
    whole = round(found)
    if base and Fraction(base) ** whole == value:
        return CalculatedNumber(Fraction(whole), digits=values[0].digits)
    return CalculatedNumber(_fraction_of(found), digits=ROUNDED_DIGITS)


def _exponential(values: Sequence[CalculatedNumber]) -> CalculatedNumber:
    value = _plain(values)
    if abs(value) > MOST_EXPONENT:
        raise CalculationRefused("That becomes too large.")
    return CalculatedNumber(_fraction_of(_decimal_of(value).exp(_CONTEXT)), digits=ROUNDED_DIGITS)


def _of_floats(method: Callable[[float], float]) -> Callable[[Sequence[CalculatedNumber]], CalculatedNumber]:
    return lambda values: CalculatedNumber(Fraction(method(float(_plain(values)))), digits=FLOAT_DIGITS)


def _whole_numbers(values: Sequence[CalculatedNumber], method: Callable[..., int]) -> CalculatedNumber:
    if any(value.dimensions or value.value.denominator != 1 for value in values):
        raise ValueError
    return _checked(CalculatedNumber(Fraction(method(*(int(value.value) for value in values)))))


_FUNCTIONS: Mapping[str, Callable[[Sequence[CalculatedNumber]], CalculatedNumber]] = {
    "sqrt": lambda values: _raise(_chosen(values[:1], min), CalculatedNumber(Fraction(1, 2))),
    "abs": lambda values: replace(values[0], value=abs(values[0].value), is_literal=False),
    "round": lambda values: _rounded(values, _half_up),
    "floor": lambda values: _rounded(values, math.floor),
    "ceil": lambda values: _rounded(values, math.ceil),
    "min": lambda values: _chosen(values, min),
    "max": lambda values: _chosen(values, max),
    "sum": _total,
    "mean": lambda values: _divide(_total(values), CalculatedNumber(Fraction(len(values)))),
    "ln": lambda values: _logarithm(values, 0),
    "log10": lambda values: _logarithm(values, 10),
    "log2": lambda values: _logarithm(values, 2),
    "exp": _exponential,
    "sin": _of_floats(math.sin),
    "cos": _of_floats(math.cos),
    "tan": _of_floats(math.tan),
    "asin": _of_floats(math.asin),
    "acos": _of_floats(math.acos),
    "atan": _of_floats(math.atan),
    "gcd": lambda values: _whole_numbers(values, math.gcd),
    "lcm": lambda values: _whole_numbers(values, math.lcm),
}
_PI = Fraction("3.1415926535897932384626433832795028841972")
_CONSTANTS: Mapping[str, CalculatedNumber] = {
    "pi": CalculatedNumber(_PI, digits=ROUNDED_DIGITS),
    "π": CalculatedNumber(_PI, digits=ROUNDED_DIGITS),
    "e": CalculatedNumber(Fraction("2.7182818284590452353602874713526624977572"), digits=ROUNDED_DIGITS),
    "deg": CalculatedNumber(_PI / 180, digits=ROUNDED_DIGITS),
}


def _write_temperature(value: CalculatedNumber, unit: NamedUnit) -> str:
    if dict(value.dimensions) != dict(unit.dimensions):
        raise CalculationRefused(f"That is no temperature, so it can’t be converted into {unit.name}.")
    assert unit.zero is not None
    return f"{_write_number((value.value - unit.zero) / unit.factor, value.digits)} {unit.name}"


def _write_value(value: CalculatedNumber) -> str:
    if value.is_temperature:
        return _write_temperature(value, value.units[0])
    name, factor = _unit_words(value)
    number = _write_number(value.value / factor, value.digits)
    is_short = value.value.denominator < 1_000_000 and abs(value.value) < 1_000_000
    if number[0] == "≈" and value.digits is None and not name and is_short:
        return f"{number} ({value.value})"
    return f"{number} {name}".rstrip()


def _unit_words(value: CalculatedNumber) -> tuple[str, Fraction]:
    """Return the unit to write a value in, and its size: the one it was written with, else made of those."""
    if not (dimensions := dict(value.dimensions)):
        return "", Fraction(1)
    for unit in value.units:
        if dict(unit.dimensions) == dimensions:
            return unit.name, unit.factor
    factor, above, below = Fraction(1), list[str](), list[str]()
    for base, power in dimensions.items():
        unit = next((unit for unit in value.units if dict(unit.dimensions) == {base: 1}), None) or NamedUnit(
            base, Fraction(1), {base: 1}
        )
        factor *= unit.factor**power
        written = f"{unit.name}^{abs(power)}" if abs(power) > 1 else unit.name
        (above if power > 0 else below).append(written)
    name = "*".join(above) or "1"
    return (f"{name}/{'/'.join(below)}" if below else name), factor


def _write_number(value: Fraction, digits: int | None) -> str:
    if digits is None and (written := _write_exact(value)) is not None:
        return f"= {written}"
    rounded = Context(prec=digits or ROUNDED_DIGITS, Emin=-MOST_BITS, Emax=MOST_BITS).plus(_decimal_of(value))
    rounded = rounded.normalize(_CONTEXT)
    is_plain = -10 <= rounded.adjusted() <= ROUNDED_DIGITS
    return f"≈ {rounded:f}" if is_plain else f"≈ {rounded:e}"


def _write_exact(value: Fraction) -> str | None:
    """Return all digits of a number; None if they don't end, or are too many."""
    rest, places = value.denominator, 0
    for prime in (2, 5):
        count = 0
        while rest % prime == 0:
            rest, count = rest // prime, count + 1
        places = max(places, count)
    if rest != 1 or places > MOST_DIGITS or value.numerator.bit_length() > 3 * MOST_DIGITS:
        return None
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    written = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{written}" if value < 0 else written
