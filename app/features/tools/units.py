"""Units to calculate with: the words that numbers of documents are read by, and those that only a question names.

Own and small: pint 0.25 would bring 3.7 MB, 0.3 s of processor time with the first use and 20 MB of memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from types import MappingProxyType

from app.core.lazy_dataclasses import dataclass
from app.language.numbers import UNITS

Dimensions = Mapping[str, int]
"""Powers of base units: speed is {"m": 1, "s": -1}. Months are a base of their own: they have no fixed days."""


@dataclass(frozen=True)
class NamedUnit:
    """A unit as it was written, its size in base units, and for temperatures where its zero lies in kelvins."""

    name: str
    factor: Fraction
    dimensions: Dimensions
    zero: Fraction | None = None


# Of the dimensions in `UNITS`: the size of what has the factor 1 there, and its base units.
_KNOWN = {
    "length": ("1", "m"),
    "mass": ("1", "kg"),
    "time": ("1", "s"),
    "months": ("1", "month"),
    "area": ("1", "m2"),
    "volume": ("1/1000", "m3"),
    "speed": ("5/18", "m s-1"),
    "data": ("1", "byte"),
    "power": ("1", "kg m2 s-3"),
    "energy": ("3600", "kg m2 s-2"),
    "frequency": ("1", "s-1"),
}
# Size, base units, and names; as they are defined, so that conversions are exact.
_MORE = """
1e-9 m: nm nanometer nanometre
1e-6 m: um
127/5000 m: in "
1143/1250 m: yd yard yards
1852 m: nmi
149597870700 m: au
9460730472580800 m: ly lightyear lightyears
1e-9 kg: µg ug mcg
45359237/1600000000 kg: oz ounce ounces
45359237/100000000 kg: lb lbs pound pounds
635029318/100000000 kg: st stone
1e-9 s: ns
1e-6 s: µs us
1 K: K kelvin
1 A: A ampere ampères amp amps
1/1000 A: mA
1 kg m2 s-3 A-1: V volt volts
1 kg m2 s-3 A-2: ohm ohms Ω
1 A s: coulomb coulombs
1 kg m s-2: N newton newtons
1000 kg m s-2: kN
1 kg m-1 s-2: Pa pascal
100 kg m-1 s-2: hPa mbar
1000 kg m-1 s-2: kPa
1e6 kg m-1 s-2: MPa
1e5 kg m-1 s-2: bar
101325 kg m-1 s-2: atm
8896443230521/1290320000 kg m-1 s-2: psi
1 kg m2 s-2: J joule joules
1000 kg m2 s-2: kJ
1e6 kg m2 s-2: MJ
523/125 kg m2 s-2: cal calorie calories
4184 kg m2 s-2: kcal
1/1000 kg m2 s-3: mW
1e6 kg m2 s-3: MW
37284993579113511/50000000000000 kg m2 s-3: hp horsepower
463/900 m s-1: kn knot knots
1 m s-1: mps
100 m2: are
316160658/78125 m2: acre acres
1e-5 m3: cl
1e-4 m3: dl
473176473/125000000000 m3: gal gallon gallons
473176473/500000000000 m3: qt quart quarts
473176473/1000000000000 m3: pt pint pints
473176473/2000000000000 m3: cup cups
473176473/16000000000000 m3: floz
473176473/32000000000000 m3: tbsp tablespoon tablespoons
157725491/32000000000000 m3: tsp teaspoon teaspoons
1/8 byte: bit bits
125 byte: kbit kbps
125e3 byte: Mbit
125e6 byte: Gbit
1024 byte: KiB
1048576 byte: MiB
1073741824 byte: GiB
1099511627776 byte: TiB
1 byte: B
1/60 s-1: rpm
"""
_TEMPERATURES = {
    "°c": ("1", "273.15"),
    "c": ("1", "273.15"),
    "celsius": ("1", "273.15"),
    "℃": ("1", "273.15"),
    "°f": ("5/9", "45967/180"),
    "f": ("5/9", "45967/180"),
    "fahrenheit": ("5/9", "45967/180"),
    "℉": ("5/9", "45967/180"),
}
"""Size in kelvins, and where zero lies; letters alone are degrees, too."""


def find_unit(name: str) -> NamedUnit | None:
    """Return the unit of this name, where case tells units apart in that case; None if there is none."""
    if found := _more_units().get(name):
        return found
    if (folded := name.casefold()) in _TEMPERATURES:
        size, zero = _TEMPERATURES[folded]
        return NamedUnit(name, Fraction(size), _dimensions_of("K"), Fraction(zero))
    if (known := UNITS.get(folded)) is not None and known.dimension in _KNOWN:
        size, base = _KNOWN[known.dimension]
        return NamedUnit(name, Fraction(size) * Fraction(known.factor), _dimensions_of(base))
    return _more_units().get(folded)


@cache
def _more_units() -> dict[str, NamedUnit]:
    units: dict[str, NamedUnit] = {}
    for line in _MORE.strip().splitlines():
        size_and_base, _, names = line.partition(": ")
        size, _, base = size_and_base.partition(" ")
        for name in names.split():
            units[name] = NamedUnit(name, Fraction(size), _dimensions_of(base))
    return units


@cache
def _dimensions_of(base: str) -> Dimensions:
    powers = {}
    for part in base.split():
        unit = part.rstrip("-0123456789")
        powers[unit] = int(part[len(unit) :] or 1)
    return MappingProxyType(powers)
