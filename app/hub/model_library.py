"""Models on disk: their files, our own folder, and whether a Hub file is already here."""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from app.core.events import CancelToken
from app.core.gguf import UNHEARD, VOICES, GgufProblem, projector_kinds, read_beginning
from app.core.lazy_dataclasses import dataclass, replace
from app.hub.model_files import MOST_PARTS, ModelFile, RemoteFile, group_files, is_safe_name, quantization_of

ENDING = ".gguf"
SIDECAR_ENDING = ".json"
# Architecture and type lie in the first bytes, so that a folder of hundreds of models is read in a moment.
START_BYTES = 4096
PROJECTOR_BYTES = 16 * 1024
MOST_DEPTH = 8
MOST_ENTRIES = 100_000
MOST_TEXT_BYTES = 1024 * 1024  # of a sidecar or of another program's manifest
CHUNK_BYTES = 1024 * 1024
NO_MODELS = ("mmproj", "imatrix", "adapter", "vocab")  # `general.type` of files that only belong to a model

_PART = re.compile(r"(.+)-\d{5}-of-(\d{5})\.gguf", re.IGNORECASE)
_TAGS = re.compile(r"([-._](I?Q\d\w*|BF16|F16|F32|MXFP4\w*|\d{5}-of-\d{5}|gguf))+$", re.IGNORECASE)
_BLOB = re.compile(r"(?:sha256-)?([0-9a-f]{64})")


@dataclass(frozen=True)
class InstalledModel:
    """A model on this disk. `path` is its first part; `size_bytes` counts all parts, without the projector.

    `origin`: starter, downloaded, added, opened, hub_cache, llama_cpp, lm_studio, ollama, gpt4all or jan. Only models
    with `is_ours` may be moved or deleted. With `missing` parts it can't run: it is listed to be completed or removed.
    """

    path: Path
    name: str
    size_bytes: int
    origin: str
    parts: tuple[Path, ...]
    vision_path: Path | None = None
    """Projector file next to the model, for images or sound."""
    sees: bool = False
    hears: bool = False
    """True if the projector's header says that it takes sound."""
    repo: str = ""
    commit: str = ""
    sha256: str = ""
    """Hash of the first part; "" if unknown."""
    tag: str = ""
    architecture: str = ""
    is_ours: bool = False
    missing: tuple[str, ...] = ()
    """Names of the parts of a split that are not here."""
    remote_file: str = ""
    """Name of the first part on the Hub; several versions of it may be here."""
    downloaded_at: str = ""
    """ISO time in UTC, "" if unknown."""

    def is_version_of(self, other: InstalledModel) -> bool:
        """Return whether both are the same file of a repository, at one commit or at two."""
        return bool(self.remote_file) and (self.repo, self.remote_file) == (other.repo, other.remote_file)


@dataclass(frozen=True)
class FileHere:
    """A regular file. `identity` is the same for every way that leads to it."""

    path: Path
    size_bytes: int
    identity: tuple[int, int]


def scan_folder(folder: Path) -> list[InstalledModel]:
    """Return the models in our own folder; nothing is changed, and what cannot be read is left out."""
    units: dict[Path, list[FileHere]] = {}
    seen: set[tuple[int, int]] = set()
    # The same file by two ways, such as a link to it, is one model.
    for file in walk_files(folder):
        if file.identity not in seen:
            seen.add(file.identity)
            # what lies in <org>/<repo>, in folders of it too, belongs together
            unit = folder.joinpath(*file.path.relative_to(folder).parts[:-1][:2])
            units.setdefault(unit, []).append(file)
    found: list[InstalledModel] = []
    for unit, files in units.items():
        for model in models_in(unit, files, "added", is_flat=unit == folder):
            facts = read_sidecar(model.path)
            found.append(
                replace(
                    model,
                    # What came from a disk may say from which repository, but nobody compared it with the Hub.
                    origin="downloaded" if facts.get("repo") and not facts.get("added_at") else "added",
                    repo=facts.get("repo", ""),
                    commit=facts.get("commit", ""),
                    sha256=facts.get("sha256", ""),
                    is_ours=True,
                    remote_file=facts.get("file", ""),
                    downloaded_at=facts.get("downloaded_at", ""),
                )
            )
    return sorted(found, key=lambda model: (model.name.lower(), model.path))


def describe_model(path: Path, origin: str) -> InstalledModel | None:
    """Describe a model by its file, with its parts and projector next to it; None if missing."""
    file = file_at(path)
    if file is None:
        return None
    if not path.name.lower().endswith(ENDING):
        return model_of([file], origin)
    split = _PART.fullmatch(path.name)
    repo = read_sidecar(path).get("repo", "")
    home = _repository_folder(path, repo)
    here = list(walk_files(home, depth=0 if home == path.parent else MOST_DEPTH))
    # One model beside a projector without a name of its own: the projector belongs to it.
    names = {display_name(other.path) for other in here if "mmproj" not in other.path.name.lower()}
    # In a repository everything belongs together, also in the folders of the Hub's cache.
    is_repository = bool(repo) or path.parent.parent.name == "snapshots"
    beside = [
        other
        for other in here
        if other.path.name == path.name
        or "mmproj" in other.path.name.lower()
        or (split and (part := _PART.fullmatch(other.path.name)) and part.groups() == split.groups())
    ]
    models = models_in(home, beside, origin, is_flat=not is_repository, is_alone=len(names) == 1)
    return next((model for model in models if path in model.parts), None) or model_of([file], origin)


def _repository_folder(path: Path, repo: str) -> Path:
    """Return the folder of a file's repository, of which versions have folders of their own; else the file's."""
    named = PurePosixPath(repo).parts
    return next((folder for folder in path.parents if repo and folder.parts[-len(named) :] == named), path.parent)


def models_in(
    root: Path,
    files: Sequence[FileHere],
    origin: str,
    *,
    is_flat: bool = False,
    is_alone: bool | None = None,
    repo: str = "",
    commit: str = "",
) -> Iterator[InstalledModel]:
    """Yield the models among `files`, which belong together below `root`; where `is_flat`, only their names can tell.

    `is_alone`: they are one model, in one or more quantizations; None is as the files say.
    """
    # Relative and with slashes, as the Hub lists files: the same grouping serves both.
    here = {file.path.relative_to(root).as_posix(): file for file in files}
    remote = [RemoteFile(name, file.size_bytes) for name, file in here.items()]
    models, vision = group_files(remote)
    # names that the Hub may not have are a person's own business
    odd = (ModelFile(file.name, (file,), quantization_of(file.name)) for file in remote if not is_safe_name(file.name))
    found_all = (*models, *odd)
    is_one = len({display_name(Path(model.name)) for model in found_all}) == 1 if is_alone is None else is_alone
    for model in found_all:
        # Of two versions each has the projector in its own folder, if there is one.
        own = PurePosixPath(model.name).parent
        nearest_first = sorted(vision, key=lambda file: PurePosixPath(file.name).parent != own)
        eye = _vision_for(model.name, nearest_first, is_flat=is_flat, is_alone=is_one)
        found = model_of(
            [here[part.name] for part in model.parts],
            origin,
            vision_path=here[eye.name].path if eye else None,
            tag=model.tag,
            repo=repo,
            commit=commit,
            missing=() if model.is_supported else _missing_parts(model),
        )
        if found is not None:
            yield found


def model_of(
    parts: Sequence[FileHere], origin: str, *, name: str = "", tag: str = "", **fields: Any
) -> InstalledModel | None:
    """Return a model from its files, when the first begins as the file of a model does."""
    path = parts[0].path
    try:
        with path.open("rb") as file:
            # Only the beginning: the weights behind it are gigabytes.
            start = file.read(START_BYTES)
        facts = read_beginning(start).metadata
    except (OSError, GgufProblem):
        return None
    architecture = facts.get("general.architecture")
    # the first part of a split may have no tensors; those of any other file are counted after magic and version
    has_weights = len(parts) > 1 or bool(fields.get("missing")) or any(start[8:16])
    # A projector says that it is "clip", whatever it is called.
    if architecture == "clip" or facts.get("general.type") in NO_MODELS or not has_weights:
        return None
    eye = fields.get("vision_path")
    sees, hears = projector_abilities(eye) if eye is not None else (False, False)
    return InstalledModel(
        path,
        name or display_name(path),
        sum(part.size_bytes for part in parts),
        origin,
        tuple(part.path for part in parts),
        tag=tag or quantization_of(path.name),
        architecture=architecture if isinstance(architecture, str) else "",
        sees=sees,
        hears=hears,
        **fields,
    )


def walk_files(folder: Path, ending: str = ENDING, depth: int = MOST_DEPTH) -> Iterator[FileHere]:
    """Yield regular files below `folder` with this ending. Hidden, unreadable and vanished ones are skipped, and
    loops.
    """
    # Bounded: a person may choose the root of a disk.
    left = MOST_ENTRIES
    seen: set[tuple[int, int]] = set()
    waiting = [(str(folder), 0)]
    while waiting:
        here, level = waiting.pop()
        try:
            status = os.stat(here)  # noqa: PTH116 - a Path for each of many thousands takes as long as reading them
            # By device and number, so that a loop of links ends.
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(here) as entries:
                names = sorted(entries, key=lambda entry: entry.name)  # in the same order each time
        except (OSError, ValueError):
            continue
        for entry in names:
            left -= 1
            if left < 0:
                return
            if entry.name.startswith("."):  # also what macOS leaves beside files on foreign disks
                continue
            if entry.name.lower().endswith(ending) and (file := file_at(Path(entry.path))) is not None:
                yield file
            elif level < depth and _is_folder(entry):
                waiting.append((entry.path, level + 1))


def file_at(path: Path) -> FileHere | None:
    """Return a regular file, through symlinks; None for everything else."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None  # a pipe would hang whoever opens it
    return FileHere(path, status.st_size, (status.st_dev, status.st_ino))


def display_name(path: Path) -> str:
    """Return what a model is called, from its file's name without quantization and part number."""
    return _TAGS.sub("", path.stem).replace("-", " ").replace("_", " ").strip() or path.stem


def sidecar_path(path: Path) -> Path:
    """Return where it is kept what a downloaded file is."""
    return path.with_name(path.name + SIDECAR_ENDING)


def read_sidecar(path: Path) -> dict[str, str]:
    """Return what is known of a downloaded file: repo, file, commit, sha256; empty where nothing is."""
    facts = read_json(sidecar_path(path))
    if not isinstance(facts, dict):
        return {}
    return {key: value for key, value in facts.items() if isinstance(value, str)}


def read_json(path: Path, most_bytes: int = MOST_TEXT_BYTES) -> Any:
    """Return a small JSON file, or None where there is none that can be read."""
    try:
        if file_at(path) is None:
            return None
        with path.open("rb") as file:
            return json.loads(file.read(most_bytes))
    except (OSError, ValueError, RecursionError):
        return None


def sha_by_name(path: Path) -> str:
    """Return the sha256 that the Hub's cache and Ollama call their files by, else ""."""
    named = _BLOB.fullmatch(Path(os.path.realpath(path)).name)
    return named[1] if named else ""


def find_copy(
    file: RemoteFile,
    candidates: Iterable[InstalledModel],
    known_sha: Callable[[Path], str],
    remember_sha: Callable[[Path, str], None],
    cancel: CancelToken,
) -> Path | None:
    """Return a local file with the same sha256. Files of equal size and unknown sha256 are hashed once.

    `known_sha` returns "" for a file not hashed yet or changed since.
    """
    if not file.sha256:
        return None
    unknown: list[Path] = []
    # A projector counts, too: several quantizations of a model share it.
    for path in (path for model in candidates for path in (*model.parts, model.vision_path) if path is not None):
        here = file_at(path)
        # Size first: it costs nothing, and hashing a file of 5 GB costs seconds.
        if here is None or here.size_bytes != file.size_bytes:
            continue
        # A name, a note or an earlier hash, whichever is there.
        sha = sha_by_name(path) or read_sidecar(path).get("sha256", "") or known_sha(path)
        if sha == file.sha256:
            return path
        if not sha:
            unknown.append(path)
    # Only now, when no known one fits.
    for path in unknown:
        sha = _hash_file(path, cancel)
        if sha:
            remember_sha(path, sha)
        if sha == file.sha256:
            return path
    return None


def _hash_file(path: Path, cancel: CancelToken) -> str:
    """Return a file's sha256; "" if unreadable or cancelled."""
    import hashlib  # OpenSSL comes with it: 4 MB that a window does without

    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                if cancel.cancelled:
                    return ""
                digest.update(chunk)
    except OSError:
        return ""
    return digest.hexdigest()


def projector_abilities(projector: Path) -> tuple[bool, bool]:
    """Return whether a projector takes images, and sound, by its header; (False, False) if it isn't one."""
    try:
        with projector.open("rb") as file:
            facts = read_beginning(file.read(PROJECTOR_BYTES)).metadata
    except (OSError, GgufProblem):
        return False, False
    if facts.get("general.architecture") != "clip" and facts.get("general.type") != "mmproj":
        return False, False
    listens = bool(facts.get("clip.has_audio_encoder", False))
    kinds = projector_kinds(facts)
    # Files from before sound was possible say nothing, and see.
    sees = bool(facts.get("clip.has_vision_encoder", not listens)) and not kinds & VOICES
    return sees, listens and not kinds & UNHEARD


def find_projector(path: Path) -> Path | None:
    """Return the file through which a model sees or hears, where it lies beside it, or another program says which it
    is.
    """
    # At each loading anew, not stored: files are moved, and what lies there now is what goes with the model.
    if path.name.lower().endswith(ENDING):
        found = describe_model(path, "")
    else:  # named by its content, as Ollama has them
        found = next(
            (
                installed_model
                for installed_model in scan_others(os.environ, Path.home(), sys.platform)
                if installed_model.path == path
            ),
            None,
        )
    return found.vision_path if found is not None else None


def _vision_for(name: str, vision: Sequence[RemoteFile], *, is_flat: bool, is_alone: bool) -> RemoteFile | None:
    """Return the projector whose name is in the model's name; else the first, in a repository; else an unnamed one next
    to a single model.
    """
    model = PurePosixPath(name).name.lower()
    # By words, so that "vl-7b" isn't found inside of "vl-72b".
    words = set(re.split(r"[-._ ]+", model))
    for file in vision:
        before, _, after = PurePosixPath(file.name).stem.lower().partition("mmproj")
        after = _TAGS.sub("", after).strip("-._")
        said = set(re.split(r"[-._ ]+", f"{before} {after}")) - {"", "model"}
        if (after and model.startswith(after)) or (said and said <= words):
            return file
        # A projector that names no model goes with the only one beside it.
        if not said and is_flat and is_alone:
            return file
    return vision[0] if vision and not is_flat else None


def _missing_parts(model: ModelFile) -> tuple[str, ...]:
    """Return the names of missing parts of a split model."""
    split = _PART.fullmatch(model.name)
    assert split is not None
    count = min(int(split[2]), MOST_PARTS)
    have = {part.name.lower() for part in model.parts}
    names = (f"{split[1]}-{number:05}-of-{split[2]}{ENDING}" for number in range(1, count + 1))
    # An impossible count may find nothing missing: the file itself is named then.
    return tuple(PurePosixPath(name).name for name in names if name.lower() not in have) or (model.name,)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_LAYER = "application/vnd.ollama.image."
_HUB_HOSTS = ("hf.co", "huggingface.co")
_OLLAMA_SERVICE = Path("/usr/share/ollama/.ollama/models")


@dataclass(frozen=True)
class ModelFolder:
    """A folder of another program. `layout`: hub, flat, publisher, ollama or jan."""

    origin: str
    layout: str
    folder: Path


def scan_others(environment: Mapping[str, str], home: Path, platform: str) -> Iterator[InstalledModel]:
    """Yield every model that can run in other programs' folders, each file once; what is damaged or unreadable is left
    out.

    A split that is not complete is another program's unfinished download, so it is left out, too.
    """
    # A file that two programs use by links is listed once.
    seen: set[tuple[int, int]] = set()
    for place in known_folders(environment, home, platform):
        for model in _LAYOUTS[place.layout](place):
            file = file_at(model.path)
            if file is not None and file.identity not in seen and not model.missing:
                seen.add(file.identity)
                yield model


def known_folders(environment: Mapping[str, str], home: Path, platform: str) -> list[ModelFolder]:
    """Return where each program keeps models on this system; not all of the folders exist."""

    # Relative paths would depend on where the program was started.
    def named(variable: str) -> Path | None:
        return _absolute_folder(environment.get(variable, ""), home)

    if platform == "win32":
        cache = named("LOCALAPPDATA") or home / "AppData" / "Local"
        nomic, data = cache, named("APPDATA") or home / "AppData" / "Roaming"
    elif platform == "darwin":
        cache, data = home / "Library" / "Caches", home / "Library" / "Application Support"
        nomic = data
    else:
        cache = named("XDG_CACHE_HOME") or home / ".cache"
        nomic = data = named("XDG_DATA_HOME") or home / ".local" / "share"
    # In the order in which the Hub's own library looks.
    hub_home = named("HF_HOME") or (named("XDG_CACHE_HOME") or home / ".cache") / "huggingface"
    llama = named("LLAMA_CACHE") or cache / "llama.cpp"
    ollama = named("OLLAMA_MODELS")
    found = [
        ModelFolder("hub_cache", "hub", named("HF_HUB_CACHE") or hub_home / "hub"),
        # llama.cpp keeps both: its own downloads flat, and those of `-hf` as the Hub's cache.
        ModelFolder("llama_cpp", "hub", llama),
        ModelFolder("llama_cpp", "flat", llama),
        ModelFolder("lm_studio", "publisher", _lm_studio_home(home) / "models"),
        ModelFolder("ollama", "ollama", ollama or home / ".ollama" / "models"),
        ModelFolder("gpt4all", "flat", nomic / "nomic.ai" / "GPT4All"),
        ModelFolder("jan", "jan", named("JAN_DATA_FOLDER") or data / "Jan" / "data"),
    ]
    # The service of the Linux installer has a home of its own, looked at after the person's.
    if ollama is None and platform == "linux":
        found.insert(5, ModelFolder("ollama", "ollama", _OLLAMA_SERVICE))
    return found


def _absolute_folder(text: str, home: Path) -> Path | None:
    """Return a folder as the user wrote it; None for empty and relative paths."""
    if text == "~" or text.startswith(("~/", "~\\")):
        return home / text[2:]
    return Path(text) if text and Path(text).is_absolute() else None


def _lm_studio_home(home: Path) -> Path:
    # LM Studio moved its home once; a pointer says where it is now.
    try:
        with (home / ".lmstudio-home-pointer").open("rb") as file:
            pointed = _absolute_folder(file.read(MOST_TEXT_BYTES).decode("utf-8", "replace").strip(), home)
    except OSError:
        pointed = None
    before = home / ".cache" / "lm-studio"
    return pointed or (before if before.is_dir() else home / ".lmstudio")


def _hub_models(place: ModelFolder) -> Iterator[InstalledModel]:
    """Yield models of the Hub's cache: `models--<org>--<repo>/snapshots/<commit>/…`, links to blobs named by sha256."""
    for repository in _visible_folders(place.folder, "models--"):
        for snapshot in _visible_folders(repository / "snapshots"):
            # Owner and name are joined by two dashes there, and neither may contain them itself.
            repo = repository.name.removeprefix("models--").replace("--", "/")
            files = list(walk_files(snapshot))
            for model in models_in(snapshot, files, place.origin, repo=repo, commit=snapshot.name):
                yield replace(model, sha256=sha_by_name(model.path))


def _flat_models(place: ModelFolder) -> Iterator[InstalledModel]:
    yield from models_in(place.folder, list(walk_files(place.folder, depth=0)), place.origin, is_flat=True)


def _publisher_models(place: ModelFolder) -> Iterator[InstalledModel]:
    """Yield models from `<publisher>/<model>/…`, named like repositories of the Hub."""
    for publisher in _visible_folders(place.folder):
        for folder in _visible_folders(publisher):
            repo = f"{publisher.name}/{folder.name}"
            yield from models_in(folder, list(walk_files(folder, depth=2)), place.origin, repo=repo)


def _ollama_models(place: ModelFolder) -> Iterator[InstalledModel]:
    """Yield models from `manifests/<registry>/<namespace>/<model>/<tag>`, which name blobs without an ending."""
    manifests = place.folder / "manifests"
    for manifest in walk_files(manifests, ending="", depth=4):  # no ending: Ollama's manifests have none
        names = manifest.path.relative_to(manifests).parts
        if len(names) != 4:
            continue
        layers = _manifest_layers(read_json(manifest.path), place.folder / "blobs")
        if "model" not in layers:
            continue
        registry, namespace, model, tag = names
        # Ollama can fetch from the Hub, and its tag is the quantization then.
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


def _manifest_layers(manifest: Any, blobs: Path) -> dict[str, FileHere]:
    """Return the blobs a manifest names and that are there, by kind; it cannot name anything outside `blobs`."""
    layers = manifest.get("layers") if isinstance(manifest, dict) else None
    found: dict[str, FileHere] = {}
    for layer in layers if isinstance(layers, list) else ():
        if not isinstance(layer, dict):
            continue
        kind, digest = layer.get("mediaType"), layer.get("digest")
        # Hex digits only, so that a manifest can't name a file outside of the blobs.
        if isinstance(kind, str) and isinstance(digest, str) and (sha := _DIGEST.fullmatch(digest)):
            file = file_at(blobs / f"sha256-{sha[1]}")
            if file is not None:
                found.setdefault(kind.removeprefix(_LAYER), file)
    return found


def _jan_models(place: ModelFolder) -> Iterator[InstalledModel]:
    """Yield models from `llamacpp/models/**/model.yml`, with paths in Jan's folder or absolute ones."""
    models = place.folder / "llamacpp" / "models"
    for description in walk_files(models, ending="model.yml"):
        facts = _top_level(description.path)
        file, eye = (_named_file(place.folder, facts.get(key, "")) for key in ("model_path", "mmproj_path"))
        if file is None:
            continue
        called = description.path.parent.name + ENDING  # the file itself is always called model.gguf
        tag = quantization_of(file.path.name) or quantization_of(called)
        name = display_name(Path(called))
        found = model_of([file], place.origin, name=name, vision_path=eye.path if eye else None, tag=tag)
        if found is not None:
            yield found


def _named_file(folder: Path, text: str) -> FileHere | None:
    path = Path(text)
    if not text or ".." in path.parts:
        # Absolute is allowed, up is not: a stranger's file could name any other.
        return None
    return file_at(folder / path)


def _top_level(path: Path) -> dict[str, str]:
    """Return the plain and quoted strings of a YAML file's top level, which is all that is needed of it."""
    try:
        with path.open("rb") as file:
            lines = file.read(MOST_TEXT_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return {}
    found: dict[str, str] = {}
    for line in lines:
        # A colon and a blank: enough for these files, and a parser of YAML is a large thing to trust.
        key, colon, value = line.partition(": ")
        if colon and key.isidentifier():
            found.setdefault(key, _unquote_value(value.strip()))
    return found


def _unquote_value(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == "'":
        return value[1:-1].replace("''", "'")
    # Double quotes are JSON's in YAML, in these files at least.
    if value.startswith('"'):
        try:
            return str(json.loads(value))
        except ValueError:
            return ""
    return value.partition(" #")[0].rstrip()


def _visible_folders(folder: Path, beginning: str = "") -> list[Path]:
    """Return visible folders, last changed first, so that the newer of two versions is found first."""
    found: list[tuple[float, Path]] = []
    with contextlib.suppress(OSError, ValueError):
        for path in folder.iterdir():
            with contextlib.suppress(OSError):  # it vanished meanwhile, or is a loop
                status = path.stat()
                if path.name.startswith(beginning) and path.name[0] != "." and stat.S_ISDIR(status.st_mode):
                    found.append((status.st_mtime, path))
    return [path for _, path in sorted(found, reverse=True)]


_LAYOUTS: dict[str, Callable[[ModelFolder], Iterator[InstalledModel]]] = {
    "hub": _hub_models,
    "flat": _flat_models,
    "publisher": _publisher_models,
    "ollama": _ollama_models,
    "jan": _jan_models,
}
