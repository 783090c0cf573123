"""`doctor` in the terminal: devices, folders and models of this computer."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from app.bootstrap import build_engine
from app.cli.terminal import interruptible_token, load_model, model_path, print_json
from app.core.paths import AppPaths
from app.core.settings import load_settings
from app.features.diagnostics import report_of, text_of
from app.features.models.fetch_model import build_models


def add_arguments(doctor: argparse.ArgumentParser) -> None:
    doctor.add_argument("--model", metavar="FILE", type=Path, help="load this model and show where its layers are")
    doctor.add_argument("--json", action="store_true", help="print one JSON object")
    doctor.set_defaults(run=run_doctor)


def run_doctor(options: argparse.Namespace) -> int:
    """`doctor`: what really exists on this computer, asked from the engine child itself."""
    paths = AppPaths.from_environment()
    # The child asks the drivers: a driver that crashes ends it, not this command.
    with closing(build_engine(paths)) as engine, interruptible_token() as cancel:
        if options.model is not None:
            settings, _ = load_settings(paths.settings)
            load_model(engine, model_path(options.model), settings, cancel)
        found, loaded = engine.describe_devices(), engine.loaded
    with build_models(paths) as models:
        folder, installed = models.models_folder(), [str(row.model.path) for row in models.list_installed()]
    report = report_of(found, paths, folder, installed, loaded)
    if options.json:
        print_json(report)
    else:
        print(text_of(report))
    return 0
