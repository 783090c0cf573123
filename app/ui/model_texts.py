"""Texts about models and downloads: numbers, dates, amounts, progress, speed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from app.core.catalogue import CountedTexts
from app.hub.hub_search import FoundRepository
from app.hub.model_files import quantization_words
from app.ui.i18n import sentence_for, size_text, tr, tr_count
from app.ui.locale_formats import format_decimal, format_number, join_facts
from app.ui.shared_labels import ONE_PARAMETER, PARAMETER_COUNT, WAITING

if TYPE_CHECKING:
    from app.hub.download import Download

PAUSED = "Paused"
SPEED_KB = "{speed} kB/s"
SPEED_MB = "{speed} MB/s"
UNDER_A_MINUTE_LEFT = "less than 1 min left"
MINUTES_LEFT = "about {minutes} min left"
HOURS_LEFT = "about {hours} h left"
HOURS_AND_MINUTES_LEFT = "about {hours} h {minutes} min left"
OVER_A_DAY_LEFT = "more than a day left"
SEES_PICTURES = "sees pictures"
CONTEXT_SIZE = "context {n}"
DOWNLOAD_COUNT = "{count} downloads"


DAY_S = 86_400
LICENSES = (
    ("apache-2.0", "Apache-2.0"),
    ("mit", "MIT"),
    ("gemma", "Gemma"),
    ("llama3.1", "Llama 3.1"),
    ("llama3.2", "Llama 3.2"),
    ("cc-by-4.0", "CC BY 4.0"),
    ("cc-by-nc-4.0", "CC BY-NC 4.0"),
)
_LICENSE_NAMES = dict(LICENSES)


def license_name(key: str) -> str:
    """Return a licence's usual name; the Hub's key if it is unknown."""
    return _LICENSE_NAMES.get(key, key)


def short_number(number: int) -> str:
    """Format a number shortly: 843, 12k, 1.2M; from 100 of a unit on without decimals."""
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        # What would be rounded up to the next unit is written in that unit.
        if number >= size * 0.9995:
            return (
                format_decimal(number / size, 1, is_trimmed=True) + letter
                if number < 100 * size
                else f"{format_number(number // size)}{letter}"
            )
    return str(number)


def count_briefly(texts: CountedTexts, number: int, **values: object) -> str:
    """Return a text for a count that is shown shortly, with the plural of what is shown."""
    shown = number if number < 1000 else 1000 * max(1, number // 1000)
    return tr_count(*texts, shown, count=short_number(number), **values)


def ago(at_s: float) -> str:
    """Format a past time: today, 3 days, 5 months, 2 years ago."""
    if (days := int((time.time() - at_s) // DAY_S)) < 1:
        return tr("today")
    for size, text, many in ((365, "a year ago", "{n} years ago"), (30, "a month ago", "{n} months ago")):
        if days >= size:
            return tr_count(text, many, days // size, n=days // size)
    return tr("yesterday") if days < 2 else tr_count("{count} day ago", "{count} days ago", days)


def model_words(parameters: int, architecture: str, context_tokens: int) -> list[str]:
    """Return the known facts of a model's header as words."""
    # Contexts are powers of two: 8,192 tokens are 8k, not 8.2k.
    context = context_tokens // 1024 if context_tokens % 1024 == 0 else 0
    return [
        *([count_briefly((ONE_PARAMETER, PARAMETER_COUNT), parameters)] if parameters else []),
        *([architecture] if architecture else []),
        *([tr(CONTEXT_SIZE, n=f"{context}k" if context else short_number(context_tokens))] if context_tokens else []),
    ]


def found_words(found: FoundRepository) -> tuple[str, str]:
    """Return two lines about a repository: its model, and its figures on the Hub; unknown ones are left out."""
    model = [*model_words(found.parameters, "", found.context_tokens)]
    hub = []
    if found.license:
        model.append(license_name(found.license))
    if found.downloads:
        hub.append(count_briefly(("{count} download", DOWNLOAD_COUNT), found.downloads))
    if found.likes:
        hub.append(count_briefly(("{count} like", "{count} likes"), found.likes))
    if found.updated_at:
        hub.append(tr("updated {when}", when=ago(found.updated_at)))
    return "  ·  ".join(model), "  ·  ".join(hub)


_PHASES = {
    "connecting": "Connecting",
    "checking": "Checking existing files",
    "verifying": "Verifying the Hub’s checksum",
}
_WAITS = {
    "HubBusy": "The Hub is busy. Retrying in {seconds} s",
    "HubUnreachable": "No answer from the Hub. Retrying in {seconds} s",
}


def speed_words(bytes_per_s: float) -> str:
    """Format a speed: 11 MB/s, 0.4 MB/s, 30 kB/s."""
    if bytes_per_s >= 9_950_000:
        return tr(SPEED_MB, speed=round(bytes_per_s / 1e6))
    if bytes_per_s >= 95_000:
        return tr(SPEED_MB, speed=format_decimal(bytes_per_s / 1e6, 1))
    return tr(SPEED_KB, speed=round(bytes_per_s / 1e3))


def left_words(left_s: float) -> str:
    """Format the remaining time, rounded more the longer it is."""
    if left_s < 50:
        return tr(UNDER_A_MINUTE_LEFT)
    if (minutes := round(left_s / 60)) < 60:
        return tr(MINUTES_LEFT, minutes=minutes)
    hours, rest = divmod(round(minutes / 5) * 5, 60)
    if hours >= 24:
        return tr(OVER_A_DAY_LEFT)
    if rest:
        return tr(HOURS_AND_MINUTES_LEFT, hours=hours, minutes=rest)
    return tr(HOURS_LEFT, hours=hours)


def amount_words(done_bytes: int, total_bytes: int) -> str:
    """Return downloaded of total bytes, or only the former if the total is unknown."""
    if not total_bytes:
        return size_text(done_bytes)
    return tr("{done} of {total}", done=size_text(done_bytes), total=size_text(total_bytes))


def state_words(download: Download) -> str:
    """Return the state of a download on one line."""
    amount = amount_words(download.done_bytes, download.total_bytes)
    if download.state == "queued":
        return join(tr(WAITING), amount if download.done_bytes else size_text(download.total_bytes))
    if download.state == "paused":
        return join(tr(PAUSED), amount)
    if download.state == "failed":
        return amount if download.done_bytes else size_text(download.total_bytes)
    if download.state == "done":
        return size_text(download.total_bytes)
    return _running_words(download, amount)


def problem_words(download: Download) -> str:
    """Return why a download failed and what was kept; "" if it didn't."""
    if download.error is None or download.state in ("done", "running"):
        return ""
    return str(sentence_for(download.error))


def _running_words(download: Download, amount: str) -> str:
    if download.phase == "waiting":
        wait_s = max(1, round(download.wait_s))
        text = _WAITS.get(download.problem, "Connection lost. Retrying in {seconds} s")
        return join(tr(text, seconds=wait_s), amount)
    if download.phase in _PHASES:
        return join(tr(_PHASES[download.phase]), amount)
    speed = speed_words(download.bytes_per_s) if download.bytes_per_s > 0 else ""
    left = "" if download.left_s is None else left_words(download.left_s)
    return join(amount, speed, left)


def senses_words(sees: bool, hears: bool) -> str:
    """Return a model's further inputs, images and audio; "" if it takes text only."""
    if sees and hears:
        return tr("sees pictures and hears")
    return tr(SEES_PICTURES) if sees else tr("hears") if hears else ""


def quantization_label(tag: str) -> str:
    """Return what a quantization means, with its tag, such as "balanced (Q4_K_M)"."""
    words = quantization_words(tag) if tag else ""
    return tr("{words} ({tag})", words=tr(words), tag=tag) if words else tag


def join(*parts: str) -> str:
    """Join the facts that aren't empty, with dots between them."""
    return join_facts(parts)
