"""Small files that begin as models do, in folders as our own program and others keep them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.helpers.gguf_files import header, padded

F32 = 0


def model_bytes(seed: str = "", weights: int = 64, **metadata: Any) -> bytes:
    """A file of its own for each seed: one tensor, an architecture, nothing that could be run."""
    facts = {"general.architecture": "llama", "general.name": seed, **metadata}
    data = padded(header(facts, [("token_embd.weight", (weights,), F32, 0)]))
    return data + bytes(4 * weights)


def write_model(path: Path, seed: str = "", **options: Any) -> bytes:
    """The file with its folders; its bytes."""
    data = model_bytes(seed or path.name, **options)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return data


def write_sidecar(path: Path, **facts: Any) -> None:
    """What the download leaves beside a model."""
    path.with_name(path.name + ".json").write_text(json.dumps({"version": 1, **facts}), "utf-8")


def in_hub_cache(cache: Path, repo: str, name: str, commit: str = "c" * 40) -> tuple[Path, str]:
    """A snapshot's link to a blob, as huggingface_hub makes them; the link and the sha256."""
    data = model_bytes(name)
    sha = hashlib.sha256(data).hexdigest()
    home = cache / ("models--" + repo.replace("/", "--"))
    blob, link = home / "blobs" / sha, home / "snapshots" / commit / name
    for path in (blob, link):
        path.parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(data)
    link.symlink_to(os.path.relpath(blob, link.parent))
    return link, sha


def in_ollama(models: Path, name: str, tag: str = "latest", registry: str = "registry.ollama.ai") -> Path:
    """A manifest and its blobs, `name` as namespace/model; the model's blob."""
    blob = _blob(models, model_bytes(name))
    layers = [layer("model", blob), {"mediaType": "application/vnd.ollama.image.template", "digest": "sha256:1"}]
    write_manifest(models / "manifests" / registry / name / tag, {"schemaVersion": 2, "layers": layers})
    return blob


def layer(kind: str, blob: Path) -> dict[str, Any]:
    """A blob as a manifest names it."""
    return {
        "mediaType": f"application/vnd.ollama.image.{kind}",
        "digest": blob.name.replace("-", ":"),
        "size": blob.stat().st_size,
    }


def write_manifest(path: Path, manifest: object) -> None:
    """As JSON, or as it is when it is text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(manifest if isinstance(manifest, str) else json.dumps(manifest), "utf-8")


def in_jan(data: Path, name: str, model_path: str = "") -> Path:
    """A model with its model.yml."""
    folder = data / "llamacpp" / "models" / name
    write_model(folder / "model.gguf", name)
    inside = model_path or f"llamacpp/models/{name}/model.gguf"
    (folder / "model.yml").write_text(f"model_path: {inside}\nname: {name}\nsize_bytes: 12\n", "utf-8")
    return folder / "model.gguf"


def contents(*folders: Path) -> dict[str, bytes]:
    """Every file below, by its path in its folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without root's right to read everything, where we have it."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def _blob(models: Path, data: bytes) -> Path:
    path = models / "blobs" / f"sha256-{hashlib.sha256(data).hexdigest()}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
