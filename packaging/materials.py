"""The bill of materials: every library, font and model of a package with its version and licence, in CycloneDX."""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import uuid
from pathlib import Path

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from portable import ROOT, SHIPPED, Source, has_starter

# Libraries that no Python package of the lock is named after, with the lock's package that brings them.
INSIDE = (
    ("Qt", "PySide6-Essentials", "LGPL-3.0-only"),
    ("PySide6", "PySide6-Essentials", "LGPL-3.0-only"),
    ("shiboken6", "shiboken6", "LGPL-3.0-only"),
)
FILES = (
    ("SmolLM2-135M-Instruct", "resources/models/*.gguf", ComponentType.MACHINE_LEARNING_MODEL, "Apache-2.0"),
    ("Phosphor Icons", "resources/icons/phosphor.ttf", ComponentType.FILE, "MIT"),
    ("Inter", "resources/fonts/Inter-*.otf", ComponentType.FILE, "OFL-1.1"),
    ("JetBrains Mono", "resources/fonts/JetBrainsMono-*.ttf", ComponentType.FILE, "OFL-1.1"),
)
EXPRESSIONS = {"llama-cpp-python": "MIT"}
NAMESPACE = uuid.UUID("6f2c3b52-70b1-4c3f-9a55-0d5a0a8f2f5e")


def write_materials(target: Path, source: Source) -> None:
    """One JSON file; the same source gives the same file."""
    licences = LicenseFactory()
    bom = Bom(serial_number=uuid.uuid5(NAMESPACE, f"{source.version} {source.commit} {has_starter()}"))
    bom.metadata.timestamp = datetime.datetime.fromtimestamp(source.epoch, datetime.UTC)
    bom.metadata.component = Component(
        name="fireside",
        version=f"{source.version}+{source.commit}",
        type=ComponentType.APPLICATION,
        bom_ref="fireside",
        licenses=[licences.make_from_string("Apache-2.0")],
    )
    for name, package, licence in INSIDE:
        version = importlib.metadata.version(package)
        bom.components.add(_component(name, version, licences.make_from_string(licence), package))
    for name in SHIPPED:
        found = importlib.metadata.metadata(name)
        said = EXPRESSIONS.get(name) or found["License-Expression"] or _classified(found) or found["License"] or ""
        chosen = licences.make_from_string(said.splitlines()[0][:100] or "unknown")
        bom.components.add(_component(name, found["Version"], chosen, name))
    for name, pattern, kind, licence in FILES:
        for path in sorted(ROOT.glob(pattern)):
            if kind is ComponentType.MACHINE_LEARNING_MODEL and not has_starter():
                continue
            digest = HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256(path.read_bytes()).hexdigest())
            of_file = licences.make_from_string(licence)
            bom.components.add(
                Component(
                    name=name, version=path.name, type=kind, bom_ref=path.name, licenses=[of_file], hashes=[digest]
                )
            )
    bom.register_dependency(bom.metadata.component, bom.components)
    target.write_text(JsonV1Dot6(bom).output_as_string(indent=1) + "\n", "utf-8")


def _component(name: str, version: str, licence: object, package: str) -> Component:
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{name}@{version}",
        purl=PackageURL("pypi", name=package.lower(), version=version),
        licenses=[licence],  # type: ignore[list-item]
    )


def _classified(found: importlib.metadata.PackageMetadata) -> str:
    """The last word of its licence's classifier."""
    lines = [line for line in found.get_all("Classifier") or [] if line.startswith("License ::")]
    return lines[0].rpartition(" :: ")[2] if lines else ""
