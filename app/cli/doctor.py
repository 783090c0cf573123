"""`doctor` in the terminal: devices, folders and models of this computer, and how hosts are reached."""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import asdict

from app.cli import terminal
from app.core.catalogue import tr
from app.core.paths import AppPaths
from app.core.policy import read_policy
from app.core.settings import policy_faults
from app.engine.tuning import TuningTable
from app.features.administration import policy_problems, policy_sentences
from app.features.diagnostics import report_of, text_of
from app.features.models.fetch_model import build_models
from app.features.models.model_engines import build_engine
from app.features.network_routes import find_routes, route_sentences
from app.hub.connection_ledger import ConnectionLedger
from app.hub.hub_token import HubToken


def add_arguments(doctor: argparse.ArgumentParser) -> None:
    terminal.add_model_option(doctor, "load this model and show where its layers are")
    doctor.add_argument(
        "--network", action="store_true", help=tr("ask the Hub and the update address, and say what refuses")
    )
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
    routes = find_routes(
        terminal.stored_settings(), HubToken(), ConnectionLedger(paths.connections), asks=options.network
    )
    policy = read_policy()
    if options.json:
        told = terminal.pick_fields(policy, "is_broken") | {
            "path": str(policy.path),
            "faults": policy_faults(policy),
            "problems": policy_problems(policy),
        }
        terminal.print_json(report | {"network": asdict(routes), "administrator": told})
    else:
        print("\n".join([text_of(report), *route_sentences(routes), *policy_sentences(policy)]))
    return 0
