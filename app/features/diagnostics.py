"""Report on this computer for support: versions, devices, folders and models. Nothing the user wrote."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app import __version__
from app.core.build import this_build
from app.core.cage_report import CageReport, CageWall
from app.core.catalogue import tr, tr_count
from app.core.child import cage_reports
from app.core.errors.engine_errors import MachineUnusable
from app.core.events import ModelLoaded
from app.core.joined_texts import join_entries
from app.core.paths import AppPaths
from app.engine.protocol import DevicesDescribed
from app.engine.tuning import ModelTuning, TuningTable
from app.features.error_messages import sentence_for
from app.features.models.tuning_words import tuning_words
from app.features.protection import protection_sentences

FOLDERS = ("data", "config", "cache", "logs", "states")


def report_of(
    found: DevicesDescribed,
    paths: AppPaths,
    models: Path,
    installed: Sequence[str],
    loaded: ModelLoaded | None = None,
    *,
    tunings: TuningTable | None = None,
) -> dict[str, Any]:
    """Build the report that `doctor --json` prints; `found` is from the engine's child, `models` their folder."""
    return {
        "version": __version__,
        "build": this_build().commit,
        "python": platform.python_version(),
        "llama_cpp": found.llama_cpp,
        "llama_cpp_folder": found.library,
        "devices": [asdict(device) for device in found.devices],
        "machines_missed": [asdict(problem) for problem in found.missed],
        "backends": list(found.backends),
        "threads": found.threads,
        "thread_policy": found.thread_policy,
        "folders": {name: str(getattr(paths, name)) for name in FOLDERS} | {"models": str(models)},
        "models": list(installed),
        "tuned": [
            {"model": path} | asdict(tuning)
            for path in installed
            if tunings is not None and (tuning := tunings.find_latest(Path(path))) is not None
        ],
        "loaded": loaded.path if loaded else None,
        "protection": {
            work: {"held": [wall.value for wall in cage.held], "missing": [wall.value for wall in cage.missing]}
            for work, cage in cage_reports().items()
        },
        "placement": [asdict(placed) for placed in loaded.placement] if loaded else [],
    }


def text_of(report: dict[str, Any]) -> str:
    """Write the report as lines in the user's language."""
    folder = report["llama_cpp_folder"]
    engine = f"llama-cpp-python {report['llama_cpp']}"
    if folder:
        engine = tr("llama.cpp {version} in {folder}", version=report["llama_cpp"], folder=folder)
    lines = [f"{this_build().line}, Python {report['python']}, {engine}"]
    lines += [tr("Threads: {count}", count=report["threads"])]
    lines += [f"  {name.replace('_', ' ')}: {value}" for name, value in report["thread_policy"].items()]
    lines += [tr("Backends: {names}", names=join_entries(report["backends"]))]
    for device in report["devices"]:
        values = {"free": device["free_bytes"] / 1e9, "total": device["total_bytes"] / 1e9}
        memory = tr("free: {free:.1f} of {total:.1f} GB", **values)
        told = f"{device['name']} ({device['description']}), {device['type']}, {memory}"
        lines += [tr("Device: {device}", device=told)]
    lines += [sentence_for(MachineUnusable(**problem)).text for problem in report["machines_missed"]]
    lines += [tr("Folder for {kind}: {path}", kind=kind, path=path) for kind, path in report["folders"].items()]
    lines += [tr("Model: {path}", path=path) for path in report["models"] or [tr("none")]]
    for entry in report["tuned"]:
        tuning = ModelTuning(**{name: value for name, value in entry.items() if name != "model"})
        lines += [f"{Path(entry['model']).name}: {' '.join(map(str, tuning_words(tuning, tuning.day)))}"]
    lines += protection_sentences(
        {
            work: CageReport(tuple(map(CageWall, cage["held"])), tuple(map(CageWall, cage["missing"])))
            for work, cage in report["protection"].items()
        }
    )
    if report["loaded"]:
        lines += [tr("Loaded: {path}", path=report["loaded"])]
    for placed in report["placement"]:
        layers = tr_count("{count} layer", "{count} layers", placed["layers"])
        weights = tr("{size:.0f} MB of weights", size=placed["weights_bytes"] / 1e6)
        lines += [f"  {placed['device']}: {layers}, {weights}"]
    return "\n".join(lines)
