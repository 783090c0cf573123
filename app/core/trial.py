"""Imports what it is told to, for whoever packages the program: what a frozen program lacks shows only then."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import app


def main(names: list[str]) -> int:
    """Imports the modules with these names, and all of the program; tells on standard error what was not there."""
    ours = [module.name for module in pkgutil.walk_packages(app.__path__, "app.") if module.name != "app.__main__"]
    failed = 0
    for name in [*ours, *names]:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - whatever it is, the package lacks something
            print(f"{name}: {error!r}", file=sys.stderr)  # noqa: T201
            failed += 1
    print(f"{len(ours) + len(names)} modules")  # noqa: T201
    return int(failed > 0)
