"""Numbers and dates of the Hub in few words."""

from __future__ import annotations

import time

from app.hub.search import Found
from app.ui.models.filters import license_name
from app.ui.shell.i18n import tr

DAY_S = 86_400


def short_number(number: int) -> str:
    """843, 12k, 1.2M."""
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if number >= size * 0.9995:
            return (
                f"{number / size:.1f}".removesuffix(".0") + letter
                if number < 100 * size
                else f"{number // size}{letter}"
            )
    return str(number)


def ago(at_s: float, now_s: float | None = None) -> str:
    """How long ago a moment was: today, 3 days, 5 months, 2 years ago."""
    days = int(((time.time() if now_s is None else now_s) - at_s) // DAY_S)
    if days < 1:
        return tr("today")
    for size, one, many in ((365, "a year ago", "{n} years ago"), (30, "a month ago", "{n} months ago")):
        if days >= size:
            return tr(one) if days < 2 * size else tr(many, n=days // size)
    return tr("yesterday") if days == 1 else tr("{n} days ago", n=days)


def model_words(parameters: int, architecture: str, context_tokens: int) -> list[str]:
    """What the Hub read from a model's header, as far as it is known."""
    context = context_tokens // 1024 if context_tokens % 1024 == 0 else 0
    return [
        *([tr("{n} parameters", n=short_number(parameters))] if parameters else []),
        *([architecture] if architecture else []),
        *([tr("context {n}", n=f"{context}k" if context else short_number(context_tokens))] if context_tokens else []),
    ]


def found_words(found: Found) -> tuple[str, str]:
    """Two lines about a repository: what its model is, and how it stands on the Hub."""
    model = [*model_words(found.parameters, found.architecture, found.context_tokens)]
    model.append(license_name(found.license) if found.license else tr("no licence named"))
    hub = [
        tr("{n} downloads", n=short_number(found.downloads)),
        tr("{n} likes", n=short_number(found.likes)),
        *([tr("updated {when}", when=ago(found.updated_at))] if found.updated_at else []),
    ]
    return "  ·  ".join(model), "  ·  ".join(hub)
