"""What is said about a download: what it does, how far it is, how fast, how long it will take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.features.messages import sentence_for
from app.ui.shell.i18n import size_text, tr

if TYPE_CHECKING:
    from app.hub.downloads import Download

_PHASES = {
    "connecting": "Connecting",
    "checking": "Checking what is already here",
    "verifying": "Comparing with the Hub's checksum",
}
_WAITS = {
    "HubBusy": "The Hub asks to wait, next try in {seconds} s",
    "HubUnreachable": "No answer from the Hub, next try in {seconds} s",
}


def speed_words(bytes_per_s: float) -> str:
    """A speed: 11 MB/s, 0.4 MB/s, 30 kB/s."""
    if bytes_per_s >= 9_950_000:
        return tr("{speed} MB/s", speed=round(bytes_per_s / 1e6))
    if bytes_per_s >= 95_000:
        return tr("{speed} MB/s", speed=f"{bytes_per_s / 1e6:.1f}")
    return tr("{speed} kB/s", speed=round(bytes_per_s / 1e3))


def left_words(left_s: float) -> str:
    """How long it will take, as exact as it is known."""
    if left_s < 50:
        return tr("less than 1 min left")
    minutes = round(left_s / 60)
    if minutes < 60:
        return tr("about {minutes} min left", minutes=minutes)
    hours, rest = divmod(round(minutes / 5) * 5, 60)
    if hours >= 24:
        return tr("more than a day left")
    if rest:
        return tr("about {hours} h {minutes} min left", hours=hours, minutes=rest)
    return tr("about {hours} h left", hours=hours)


def amount_words(done_bytes: int, total_bytes: int) -> str:
    """How much of the whole is here."""
    if not total_bytes:
        return size_text(done_bytes)
    return tr("{done} of {total}", done=size_text(done_bytes), total=size_text(total_bytes))


def state_words(download: Download) -> str:
    """What a download does now, in one line."""
    amount = amount_words(download.done_bytes, download.total_bytes)
    if download.state == "queued":
        return join(tr("Waits for its turn"), amount if download.done_bytes else size_text(download.total_bytes))
    if download.state == "paused":
        return join(tr("Paused"), amount)
    if download.state == "failed":
        return amount if download.done_bytes else size_text(download.total_bytes)
    if download.state == "done":
        return size_text(download.total_bytes)
    return _running_words(download, amount)


def problem_words(download: Download) -> str:
    """What went wrong, and what was kept; "" when nothing did."""
    if download.error is None or download.state in ("done", "running"):
        return ""
    sentence = sentence_for(download.error)
    return f"{tr(sentence.text)} {tr(sentence.kept) if sentence.kept else ''}".strip()


def _running_words(download: Download, amount: str) -> str:
    if download.phase == "waiting":
        wait_s = max(1, round(download.wait_s))
        text = _WAITS.get(download.problem, "The connection broke off, next try in {seconds} s")
        return join(tr(text, seconds=wait_s), amount)
    if download.phase in _PHASES:
        return join(tr(_PHASES[download.phase]), amount)
    speed = speed_words(download.bytes_per_s) if download.bytes_per_s > 0 else ""
    left = "" if download.left_s is None else left_words(download.left_s)
    return join(amount, speed, left)


def join(*parts: str) -> str:
    """Facts in one line."""
    return " · ".join(part for part in parts if part)
