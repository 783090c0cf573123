"""How many plural forms a language has in gettext, and the rule that chooses among them.

Source: the gettext manual, "Additional functions for plural forms", and the Unicode CLDR's plural rules for languages
that are not in it.
"""

from __future__ import annotations

from typing import NamedTuple


class Plurals(NamedTuple):
    """`forms` counts them; `singular` is which of them is for one."""

    forms: int
    rule: str
    singular: int = 0

    @property
    def header(self) -> str:
        """What stands behind "Plural-Forms:"."""
        return f"nplurals={self.forms}; plural={self.rule};"


_NONE = Plurals(1, "0")
_ONE = Plurals(2, "n != 1")
_UP_TO_ONE = Plurals(2, "n > 1")
_SLAVIC = Plurals(3, "n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2")
_CZECH = Plurals(3, "n==1 ? 0 : n>=2 && n<=4 ? 1 : 2")
_GROUPS = (
    (_NONE, "bo dz id ig ja jv km ko lo ms my su th to vi wo yo zh yue"),
    (_UP_TO_ONE, "ak am fa fil fr gu hi hy ln mg oc pa pt-BR si ti tl wa bn kn zu"),
    (_SLAVIC, "be bs hr ru sr uk"),
    (_CZECH, "cs sk"),
)
_OWN = {
    "pl": Plurals(3, "n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2"),
    "ro": Plurals(3, "n==1 ? 0 : n==0 || (n%100>0 && n%100<20) ? 1 : 2"),
    "lt": Plurals(3, "n%10==1 && n%100!=11 ? 0 : n%10>=2 && (n%100<10 || n%100>=20) ? 1 : 2"),
    "lv": Plurals(3, "n%10==1 && n%100!=11 ? 0 : n != 0 ? 1 : 2"),
    "sl": Plurals(4, "n%100==1 ? 0 : n%100==2 ? 1 : n%100==3 || n%100==4 ? 2 : 3"),
    "ar": Plurals(6, "n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5", 1),
    "ga": Plurals(5, "n==1 ? 0 : n==2 ? 1 : n<7 ? 2 : n<11 ? 3 : 4"),
    "gd": Plurals(4, "n==1 || n==11 ? 0 : n==2 || n==12 ? 1 : n>2 && n<20 ? 2 : 3"),
    "cy": Plurals(4, "n==1 ? 0 : n==2 ? 1 : n!=8 && n!=11 ? 2 : 3"),
    "mt": Plurals(4, "n==1 ? 0 : n==0 || (n%100>1 && n%100<11) ? 1 : n%100>10 && n%100<20 ? 2 : 3"),
    "mk": Plurals(2, "n%10==1 && n%100!=11 ? 0 : 1"),
    "is": Plurals(2, "n%10!=1 || n%100==11"),
}
_TABLE = {code: plurals for plurals, codes in _GROUPS for code in codes.split()} | _OWN


def plurals_of(language: str) -> Plurals:
    """Of a language as BCP 47 has it; two forms, for one and for all else, where it is not known better."""
    return _TABLE.get(language) or _TABLE.get(language.partition("-")[0]) or _ONE
