"""The codes by which data files say their language, and the target's in the same form."""

from __future__ import annotations

import re

_NAMES = (
    "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el "
    "en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it "
    "iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt "
    "my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl "
    "sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo "
    "za zh zu fil"
)
"""ISO 639-1, and Filipino."""
_LANGUAGES = frozenset(_NAMES.split())
_CODE = re.compile(r"([a-z]{2,3})(?:([-_])([A-Za-z]{4}|[A-Za-z]{2}|\d{3}))?(?:([-_])([A-Za-z]{2}|\d{3}))?")


def is_locale(code: str) -> bool:
    """Whether it is the code of a language, with or without a script and a country."""
    found = _CODE.fullmatch(code)
    return found is not None and found[1] in _LANGUAGES


def renamed_locale(code: str, target: str) -> str:
    """The target in the form of a code ("pt_BR" where that has an underscore); "" where that is none."""
    if not is_locale(code):
        return ""
    return with_underscore(target) if "_" in code else target


def with_underscore(code: str) -> str:
    """As POSIX and gettext write it."""
    return code.replace("-", "_")
