"""What keeps the program's own processes in, as they have tried themselves, in words for a person."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.cage_report import CageReport, CageWall
from app.core.catalogue import Translatable, tr
from app.core.joined_texts import join_entries

PROCESSES: dict[str, Translatable] = {
    "engine": "The model’s process",
    "document": "The process that reads documents",
    "download": "The process that downloads models",
    "lend": "The process that lends memory",
    "recording": "The process that records sound",
    "voice": "The process that reads aloud",
}
"""Names by the work of a child, see `app.core.child.cage_reports`."""
HELD = "{process} can’t {what}."
OPEN = "{process} could {what}: this system can’t prevent it."
ALSO_OPEN = "It could {what}: this system can’t prevent it."
NOT_YET = "{process} is checked when it starts."
DEEDS: dict[CageWall, Translatable] = {
    CageWall.NETWORK: "reach the network",
    CageWall.FILES: "open your files",
    CageWall.WRITING: "change anything of yours",
    CageWall.PROGRAMS: "start programs",
}


def protection_sentences(reports: Mapping[str, CageReport]) -> list[str]:
    """Return what each process is kept from, and what not, for both faces."""
    said = []
    for work, process in PROCESSES.items():
        if (report := reports.get(work)) is None:
            said.append(tr(NOT_YET, process=tr(process)))
            continue
        said.append(cage_sentence(tr(process), report))
    return said


def cage_sentence(process: str, report: CageReport) -> str:
    """Return what a process is kept from, and what not; "" for an empty report."""
    missing = ALSO_OPEN if report.held else OPEN
    parts = [
        tr(template, process=process, what=_join([tr(DEEDS[wall]) for wall in walls]))
        for template, walls in ((HELD, report.held), (missing, report.missing))
        if walls
    ]
    return " ".join(parts)


def _join(words: list[str]) -> str:
    return tr("{first} or {last}", first=join_entries(words[:-1]), last=words[-1]) if len(words) > 1 else words[0]
