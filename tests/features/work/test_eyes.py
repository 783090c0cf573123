"""What lets a model see goes with it whenever it is loaded; a refused one keeps nobody from the model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.bootstrap import build_program
from app.core.events import ModelLoaded
from app.features.models.model_messages import surprise_words
from tests.helpers.gguf_files import header, padded
from tests.helpers.models_on_disk import write_model
from tests.helpers.script import write_script

REFUSAL = {"error": "ProjectorRefused", "fields": {"path": "x", "model": "y", "reason": "other_model"}, "times": 1}


@pytest.mark.parametrize("rules", [{}, [REFUSAL, {"any_path": True}]], ids=["taken", "refused"])
def test_it_is_found_beside_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: object) -> None:
    script = write_script(tmp_path / "script")
    if rules:
        script.write_text(json.dumps({"load": rules, "answers": []}))
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    write_model(tmp_path / "see-Q4_K_M.gguf")
    eye = tmp_path / "mmproj-f16.gguf"
    eye.write_bytes(padded(header({"general.architecture": "clip", "clip.has_vision_encoder": True})))
    app = build_program()
    app.change_settings("engine", projector_on_cpu=True)
    try:
        (*_, loaded) = app.engine.load(tmp_path / "see-Q4_K_M.gguf")
        assert isinstance(loaded, ModelLoaded)
        now = app.engine.loaded
        assert now is not None and now.sees is (not rules)
        words = surprise_words(loaded)
        assert ("mmproj-f16.gguf was made for another model" in str(words)) is bool(rules)
        assert loaded.projector == str(eye)
        if rules:
            return
        asked = json.loads(script.with_name("prompts.jsonl").read_text("utf-8").splitlines()[0])["wish"]
        assert (asked["projector"], asked["projector_on_cpu"]) == (str(eye), True)
    finally:
        app.close()
