"""`doctor` in the terminal: devices, folders and models of this computer."""

from __future__ import annotations

import argparse
from contextlib import closing

from app.cli import terminal
from app.core.paths import AppPaths
from app.engine.tuning import TuningTable
from app.features.diagnostics import report_of, text_of
from app.features.models.fetch_model import build_models
from app.features.models.model_engines import build_engine


def add_arguments(doctor: argparse.ArgumentParser) -> None:
    terminal.add_model_option(doctor, "load this model and show where its layers are")
    terminal.add_json(doctor, run_doctor)


def run_doctor(options: argparse.Namespace) -> int:
    """`doctor`: what really exists on this computer, asked from the engine child itself."""
    paths = AppPaths.from_environment()
    # The child asks the drivers: a driver that crashes ends it, not this command.
    with closing(build_engine(paths)) as engine, terminal.interruptible_token() as cancel:
        if options.model is not None:
            settings = terminal.stored_settings()
            terminal.load_model(engine, terminal.model_path(options.model), settings, cancel)
        found, loaded = engine.describe_devices(), engine.loaded
    with build_models(paths) as models:
        folder, installed = models.models_folder(), [str(row.model.path) for row in models.list_installed()]
    report = report_of(found, paths, folder, installed, loaded, tunings=TuningTable(paths.engine))
    if options.json:
        terminal.print_json(report)
    else:
        print(text_of(report))
    return 0
