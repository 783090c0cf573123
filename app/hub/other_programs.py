"""Models that other programs keep: used where they lie, read only, never changed."""

from __future__ import annotations

import contextlib
import json
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.hub.files import quantization
from app.hub.library import (
    ENDING,
    MOST_TEXT_BYTES,
    FileHere,
    InstalledModel,
    display_name,
    file_at,
    model_of,
    models_in,
    read_json,
    sha_by_name,
    walk,
)

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_LAYER = "application/vnd.ollama.image."
_HUB_HOSTS = ("hf.co", "huggingface.co")
_OLLAMA_SERVICE = Path("/usr/share/ollama/.ollama/models")


@dataclass(frozen=True)
class Place:
    """A folder of another program. `layout`: hub, flat, publisher, ollama or jan."""

    origin: str
    layout: str
    folder: Path


def scan_others(environment: Mapping[str, str], home: Path, platform: str) -> Iterator[InstalledModel]:
    """Every model that can run in other programs' folders, each file once; what is damaged or unreadable is left out.

    A split that is not complete is another program's unfinished download, so it is left out, too.
    """
    seen: set[tuple[int, int]] = set()
    for place in places(environment, home, platform):
        for model in _LAYOUTS[place.layout](place):
            file = file_at(model.path)
            if file is not None and file.identity not in seen and not model.missing:
                seen.add(file.identity)
                yield model


def places(environment: Mapping[str, str], home: Path, platform: str) -> list[Place]:
    """Where each program keeps models on this system; not all of these folders exist."""

    def named(variable: str) -> Path | None:
        return _absolute(environment.get(variable, ""), home)

    if platform == "win32":
        cache = named("LOCALAPPDATA") or home / "AppData" / "Local"
        nomic, data = cache, named("APPDATA") or home / "AppData" / "Roaming"
    elif platform == "darwin":
        cache, data = home / "Library" / "Caches", home / "Library" / "Application Support"
        nomic = data
    else:
        cache = named("XDG_CACHE_HOME") or home / ".cache"
        nomic = data = named("XDG_DATA_HOME") or home / ".local" / "share"
    hub_home = named("HF_HOME") or (named("XDG_CACHE_HOME") or home / ".cache") / "huggingface"
    llama = named("LLAMA_CACHE") or cache / "llama.cpp"
    ollama = named("OLLAMA_MODELS")
    found = [
        Place("hub_cache", "hub", named("HF_HUB_CACHE") or hub_home / "hub"),
        Place("llama_cpp", "hub", llama),
        Place("llama_cpp", "flat", llama),
        Place("lm_studio", "publisher", _lm_studio_home(home) / "models"),
        Place("ollama", "ollama", ollama or home / ".ollama" / "models"),
        Place("gpt4all", "flat", nomic / "nomic.ai" / "GPT4All"),
        Place("jan", "jan", named("JAN_DATA_FOLDER") or data / "Jan" / "data"),
    ]
    if ollama is None and platform == "linux":
        found.insert(5, Place("ollama", "ollama", _OLLAMA_SERVICE))
    return found


def _absolute(text: str, home: Path) -> Path | None:
    """A folder as a person wrote it; None for nothing and for what depends on where a program was started."""
    if text == "~" or text.startswith(("~/", "~\\")):
        return home / text[2:]
    return Path(text) if text and Path(text).is_absolute() else None


def _lm_studio_home(home: Path) -> Path:
    try:
        with (home / ".lmstudio-home-pointer").open("rb") as file:
            pointed = _absolute(file.read(MOST_TEXT_BYTES).decode("utf-8", "replace").strip(), home)
    except OSError:
        pointed = None
    before = home / ".cache" / "lm-studio"
    return pointed or (before if before.is_dir() else home / ".lmstudio")


def _hub(place: Place) -> Iterator[InstalledModel]:
    """`models--<org>--<repo>/snapshots/<commit>/…`: links to blobs, whose names are their sha256."""
    for repository in _folders(place.folder, "models--"):
        for snapshot in _folders(repository / "snapshots"):
            repo = repository.name.removeprefix("models--").replace("--", "/")
            files = list(walk(snapshot))
            for model in models_in(snapshot, files, place.origin, repo=repo, commit=snapshot.name):
                yield replace(model, sha256=sha_by_name(model.path))


def _flat(place: Place) -> Iterator[InstalledModel]:
    yield from models_in(place.folder, list(walk(place.folder, depth=0)), place.origin, is_flat=True)


def _publisher(place: Place) -> Iterator[InstalledModel]:
    """`<publisher>/<model>/…`, as repositories of the Hub are called."""
    for publisher in _folders(place.folder):
        for folder in _folders(publisher):
            repo = f"{publisher.name}/{folder.name}"
            yield from models_in(folder, list(walk(folder, depth=2)), place.origin, repo=repo)


def _ollama(place: Place) -> Iterator[InstalledModel]:
    """`manifests/<registry>/<namespace>/<model>/<tag>` names blobs, which have no ending."""
    manifests = place.folder / "manifests"
    for manifest in walk(manifests, ending="", depth=4):
        names = manifest.path.relative_to(manifests).parts
        if len(names) != 4:
            continue
        layers = _layers(read_json(manifest.path), place.folder / "blobs")
        if "model" not in layers:
            continue
        registry, namespace, model, tag = names
        is_hubs = registry in _HUB_HOSTS
        projector = layers.get("projector")
        found = model_of(
            [layers["model"]],
            place.origin,
            name=f"{model}:{tag}" if namespace == "library" else f"{namespace}/{model}:{tag}",
            vision_path=projector.path if projector else None,
            repo=f"{namespace}/{model}" if is_hubs else "",
            tag=tag.upper() if is_hubs else "",
            sha256=sha_by_name(layers["model"].path),
        )
        if found is not None:
            yield found


def _layers(manifest: Any, blobs: Path) -> dict[str, FileHere]:
    """The blobs a manifest names and that are there, by kind; it cannot name anything outside `blobs`."""
    layers = manifest.get("layers") if isinstance(manifest, dict) else None
    found: dict[str, FileHere] = {}
    for layer in layers if isinstance(layers, list) else ():
        if not isinstance(layer, dict):
            continue
        kind, digest = layer.get("mediaType"), layer.get("digest")
        if isinstance(kind, str) and isinstance(digest, str) and (sha := _DIGEST.fullmatch(digest)):
            file = file_at(blobs / f"sha256-{sha[1]}")
            if file is not None:
                found.setdefault(kind.removeprefix(_LAYER), file)
    return found


def _jan(place: Place) -> Iterator[InstalledModel]:
    """`llamacpp/models/**/model.yml`, whose paths are in Jan's folder, or absolute for models that it was shown."""
    models = place.folder / "llamacpp" / "models"
    for description in walk(models, ending="model.yml"):
        facts = _top_level(description.path)
        file, eye = (_named_file(place.folder, facts.get(key, "")) for key in ("model_path", "mmproj_path"))
        if file is None:
            continue
        called = description.path.parent.name + ENDING  # the file itself is always called model.gguf
        tag = quantization(file.path.name) or quantization(called)
        name = display_name(Path(called))
        found = model_of([file], place.origin, name=name, vision_path=eye.path if eye else None, tag=tag)
        if found is not None:
            yield found


def _named_file(folder: Path, text: str) -> FileHere | None:
    path = Path(text)
    if not text or ".." in path.parts:
        return None
    return file_at(folder / path)


def _top_level(path: Path) -> dict[str, str]:
    """The plain and quoted texts of a YAML file's top level, which is all that is needed of it."""
    try:
        with path.open("rb") as file:
            lines = file.read(MOST_TEXT_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return {}
    found: dict[str, str] = {}
    for line in lines:
        key, colon, value = line.partition(": ")
        if colon and key.isidentifier():
            found.setdefault(key, _unquoted(value.strip()))
    return found


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == "'":
        return value[1:-1].replace("''", "'")
    if value.startswith('"'):
        try:
            return str(json.loads(value))
        except ValueError:
            return ""
    return value.partition(" #")[0].rstrip()


def _folders(folder: Path, beginning: str = "") -> list[Path]:
    """Visible folders in one, the last changed first, so that of two versions the newer one is met first."""
    found: list[tuple[float, Path]] = []
    with contextlib.suppress(OSError, ValueError):
        for path in folder.iterdir():
            with contextlib.suppress(OSError):  # it vanished meanwhile, or is a loop
                status = path.stat()
                if path.name.startswith(beginning) and path.name[0] != "." and stat.S_ISDIR(status.st_mode):
                    found.append((status.st_mtime, path))
    return [path for _, path in sorted(found, reverse=True)]


_LAYOUTS: dict[str, Callable[[Place], Iterator[InstalledModel]]] = {
    "hub": _hub,
    "flat": _flat,
    "publisher": _publisher,
    "ollama": _ollama,
    "jan": _jan,
}
