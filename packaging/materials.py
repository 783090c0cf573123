"""What lies beside packages: the checksums, and the bill of materials.

The bill (CycloneDX) names every library, font and model of a package with its version and licence. What Debian's
libraries are licensed under stands in the notices that lie beside them; here are their versions.
"""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import json
import platform
import re
import subprocess
import uuid
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from portable import ROOT, TARGET, Source, has_starter, inside, system_packages

# Libraries that no Python package of the lock is named after, with the lock's package that brings them.
INSIDE = (
    ("Qt", "pyside6-essentials", "LGPL-3.0-only"),
    ("llama.cpp", "llama-cpp-python", "MIT"),
)
MODEL = ComponentType.MACHINE_LEARNING_MODEL
FILES = (
    ("SmolLM2-135M-Instruct", "resources/models/*.gguf", MODEL, "Apache-2.0"),
    ("universal-sentence-encoder-multilingual", "resources/languages/embeddings-multilingual.npz", MODEL, "Apache-2.0"),
    ("Phosphor Icons", "resources/icons/phosphor.ttf", ComponentType.FILE, "MIT"),
    ("Inter", "resources/fonts/Inter-*.otf", ComponentType.FILE, "OFL-1.1"),
    ("JetBrains Mono", "resources/fonts/JetBrainsMono-*.ttf", ComponentType.FILE, "OFL-1.1"),
    ("Mermaid", "resources/drawing/mermaid.tiny.js", ComponentType.FILE, "MIT"),
)
EXPRESSIONS = {
    "llama-cpp-python": "MIT",
    "pyside6-essentials": "LGPL-3.0-only",
    "pyside6-addons": "LGPL-3.0-only",
    "shiboken6": "LGPL-3.0-only",
    "rouge-score": "Apache-2.0",
    "latex2mathml": "MIT",
    "sqlcipher3": "Zlib AND BSD-3-Clause AND Apache-2.0",
}
"""Where the package itself says it in other words, or not at all."""
PACKAGES = (".zst", ".deb", ".AppImage", ".dmg", ".exe", ".json")
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
    for name, version, said in others():
        of_other = licences.make_from_string(said) if said else None
        bom.components.add(_component(name, version, of_other))
    for name in inside():
        found = importlib.metadata.metadata(name)
        said = (
            EXPRESSIONS.get(name) or found.get("License-Expression") or _classified(found) or found.get("License") or ""
        )
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
    target.write_bytes((JsonV1Dot6(bom).output_as_string(indent=1) + "\n").encode())


def write_sums(folder: Path, version: str) -> None:
    """SHA256SUMS of all packages of a version, as sha256sum writes and checks it on every system.

    With the model and without it are made one after the other: both are named.
    """
    found = sorted(path for path in folder.iterdir() if version in path.name and path.suffix in PACKAGES)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in found]
    (folder / "SHA256SUMS").write_bytes("".join(lines).encode())


def others() -> list[tuple[str, str, str]]:
    """What no package of the lock is named after: name, version, licence ("" where it has several)."""
    import pypdfium2_raw

    pdfium = json.loads((Path(pypdfium2_raw.__file__).parent / "version.json").read_text("utf-8"))
    found = [("Python", platform.python_version(), "PSF-2.0"), ("PDFium", str(pdfium["build"]), "BSD-3-Clause")]
    packages = system_packages(TARGET / "program" / "_internal")
    if packages:
        asked = ["dpkg-query", "-W", "-f", "${Package} ${Version}\\n", *packages]
        said = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
        found += [(name, version, "") for name, version in re.findall(r"^(\S+) (\S+)$", said, re.M)]
    return found


def _component(name: str, version: str, licence: object | None, package: str = "") -> Component:
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{name}@{version}",
        purl=PackageURL("pypi", name=package.lower(), version=version) if package else None,
        licenses=[licence] if licence is not None else [],  # type: ignore[list-item]
    )


def _classified(found: importlib.metadata.PackageMetadata) -> str:
    """The last word of its licence's classifier."""
    lines = [line for line in found.get_all("Classifier") or [] if line.startswith("License ::")]
    return lines[0].rpartition(" :: ")[2] if lines else ""
