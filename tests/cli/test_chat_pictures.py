"""`chat --image` in the terminal: what was shown and how large, what could not be opened, a model without eyes."""

from __future__ import annotations

from pathlib import Path

from app.core.errors.request_errors import MediaRefused
from app.features.error_messages import sentence_for
from app.features.media import PICTURE
from tests.helpers.picture_files import bomb, picture
from tests.helpers.script import media, write_script
from tests.helpers.terminal import fireside, only_json


def test_pictures_go_with_the_question_and_bad_ones_are_told(fresh_home: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script", {"text": "Red."}, load={"sees": True, "picture_tokens": 9})
    environment = {"FIRESIDE_ENGINE_SCRIPT": str(script)}
    good, bad = picture(tmp_path / "red.png", size=(64, 48)), bomb(tmp_path / "bomb.png")
    asked = ("chat", "-p", "Which colour?", "--model", "m.gguf", "--json", "--image")
    body = only_json(fireside(*asked, str(good), str(bad), environment=environment))
    assert body["images"] == [{"file": str(good), "width": 64, "height": 48, "tokens": 9}]
    assert [Path(one["file"]).name for one in body["errors"]] == ["bomb.png"]
    assert (body["text"], body["media_tokens"]) == ("Red.", 9)
    assert len(media(script)[-1][-1]) == 1
    refused = fireside(*asked, str(bad), environment=environment)
    assert (refused.returncode, refused.stdout) == (1, "") and "30,000 × 30,000" in refused.stderr
    assert not list((fresh_home / "data").glob("media/*"))
    assert not list((fresh_home / "cache").glob("media/*"))


def test_a_model_without_eyes_says_so_before_it_answers(fresh_home: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script", {"text": "Red."})
    asked = ("chat", "-p", "Which colour?", "--model", "m.gguf", "--image", str(picture(tmp_path / "a.png")))
    told = fireside(*asked, environment={"FIRESIDE_ENGINE_SCRIPT": str(script)})
    assert (told.returncode, told.stdout) == (1, "") and sentence_for(
        MediaRefused("a.png", PICTURE, "blind")
    ).text in told.stderr
    assert media(script) == []
