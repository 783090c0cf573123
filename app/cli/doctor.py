"""`doctor` in the terminal: devices, folders and models of this computer."""

from __future__ import annotations

import argparse
import platform
from contextlib import closing
from dataclasses import asdict
from typing import Any

from app import APP_NAME, __version__
from app.bootstrap import build_engine, build_models
from app.cli.terminal import print_json
from app.core.paths import AppPaths


def add_arguments(doctor: argparse.ArgumentParser) -> None:
    """What `doctor` takes."""
    doctor.add_argument("--json", action="store_true", help="one JSON object on standard output")
    doctor.set_defaults(run=run_doctor)


def run_doctor(options: argparse.Namespace) -> int:
    """`doctor`: what really exists on this computer, asked from the engine child itself."""
    paths = AppPaths.from_environment()
    with closing(build_engine(paths)) as engine:
        found = engine.describe_devices()
    with build_models(paths) as models:
        folder, installed = models.folder(), [str(row.model.path) for row in models.installed()]
    report: dict[str, Any] = {
        "version": __version__,
        "python": platform.python_version(),
        "llama_cpp": found.llama_cpp,
        "devices": [asdict(device) for device in found.devices],
        "backends": list(found.backends),
        "threads": found.threads,
        "thread_policy": found.thread_policy,
        "folders": {name: str(getattr(paths, name)) for name in ("data", "config", "cache", "logs", "states")}
        | {"models": str(folder)},
        "models": installed,
    }
    if options.json:
        print_json(report)
    else:
        _print_report(report)
    return 0


def _print_report(report: dict[str, Any]) -> None:
    print(f"{APP_NAME} {report['version']}, Python {report['python']}, llama-cpp-python {report['llama_cpp']}")
    print(f"Threads: {report['threads']}")
    for name, value in report["thread_policy"].items():
        print(f"  {name.replace('_', ' ')}: {value}")
    print(f"Backends: {', '.join(report['backends'])}")
    for device in report["devices"]:
        memory = f"{device['free_bytes'] / 1e9:.1f} of {device['total_bytes'] / 1e9:.1f} GB free"
        print(f"Device: {device['name']} ({device['description']}), {device['type']}, {memory}")
    for name, folder in report["folders"].items():
        print(f"Folder for {name}: {folder}")
    for path in report["models"] or ["none"]:
        print(f"Model: {path}")
