"""Pictures: what looking and the first token cost beside llama-server, and whether llama-mtmd-cli writes the same.

The projector has the size of SmolVLM's (SigLIP-B, 512 pixels, 16 bits) and random weights, which take as long as real
ones; 1,024 patches of it become as many tokens. It is made here, for the starter.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from comparing import EQUAL_TIME, compared, progress
from llama_build import eyes_program
from llama_server import LlamaServer
from our_engine import OurEngine, starter, then
from run import Row

from app.core.events import Media, Message, Role
from tests.helpers import tiny_eyes
from tests.helpers.tiny_models import WIDTH, make_tiny

ROUNDS = 5
STARTER_WIDTH = 576
IMAGE, PATCH, TOWER, BLOCKS = 512, 16, 768, 12
ANSWER_TOKENS = 16
QUESTION = "\nWhat is on the picture? Answer in one sentence."
AT_MOST_SECOND = 0.1


def rows() -> Iterator[Row]:
    """Times first, then texts."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
        folder = Path(scratch)
        yield from times(folder)
        yield same_texts(folder)


def times(folder: Path) -> Iterator[Row]:
    """A new picture in each round, and one more question about it."""
    eye = tiny_eyes.make_random_eye(
        "llava", folder / "eye.gguf", STARTER_WIDTH, image=IMAGE, patch=PATCH, width=TOWER, blocks=BLOCKS
    )
    random = np.random.default_rng(1)
    first, second, theirs, theirs_second = [], [], [], []
    equal = 0
    with (
        LlamaServer(starter(), folder / "server", projector=eye) as server,
        OurEngine(folder / "ours", projector=eye) as ours,
    ):
        for number in range(ROUNDS):
            progress(f"looking, {number + 1} of {ROUNDS}")
            shown = tiny_eyes.picture(folder, random.integers(0, 256, (480, 640, 3)))
            chat = [Message(Role.USER, QUESTION, (shown,))]
            counted = ours.client.count_tokens(chat)
            mine = ours.chat(chat, ANSWER_TOKENS, session=f"chat-{number}")
            equal += counted == mine.prompt_tokens
            again = ours.chat(then(chat, mine.text, "And what else?"), ANSWER_TOKENS, session=f"chat-{number}")
            other = server.chat(chat, ANSWER_TOKENS)
            other_again = server.chat(then(chat, other.text, "And what else?"), ANSWER_TOKENS)
            first.append(mine.first_s * 1000)
            second.append(again.first_s * 1000)
            theirs.append(other.first_s * 1000)
            theirs_second.append(other_again.first_s * 1000)
    yield compared("first token with a new picture", first, theirs, "ms", at_most=EQUAL_TIME)
    yield compared("first token of the second turn, against the first", second, first, "ms", at_most=AT_MOST_SECOND)
    yield compared("first token of the second turn, against llama-server", second, theirs_second, "ms")
    yield Row("prompts counted before sending as they were read", equal, "prompts", ROUNDS, at_least=1.0)


def same_texts(folder: Path) -> Row:
    """Greedy answers about two pictures, for each family of projectors and for the eye that sees."""
    random = np.random.default_rng(2)
    noise = [
        tiny_eyes.picture(folder, random.integers(0, 256, (height, width, 3)))
        for width, height in ((64, 64), (300, 200))
    ]
    same = 0
    for family in (*tiny_eyes.FAMILIES, ""):
        progress(f"llama-mtmd-cli, {family or 'the eye that sees'}")
        if family:
            model = make_tiny(tiny_eyes.TEXT_MODELS[family], folder / f"{family}.gguf")
            image = 560 if family == "gemma3" else tiny_eyes.IMAGE
            eye = tiny_eyes.make_random_eye(family, folder / f"{family}-eye.gguf", WIDTH, image=image)
            media = noise
        else:
            model, eye = starter(), tiny_eyes.make_eye(starter(), folder / "sees.gguf")
            media = [tiny_eyes.noisy(folder, "red", 1), tiny_eyes.noisy(folder, "blue", 2)]
        with OurEngine(folder / f"same-{family}", model=model, context_tokens=2048, projector=eye) as ours:
            placed = tuple(replace(one, at=at) for one, at in zip(media, (3, 7), strict=True))
            answer = ours.chat([Message(Role.USER, "abc and def", placed)], ANSWER_TOKENS)
        same += answer.text.strip() == written_by_cli(model, eye, media)
    return Row(
        "greedy answers that are llama-mtmd-cli's", same, "projectors", len(tiny_eyes.FAMILIES) + 1, at_least=1.0
    )


def written_by_cli(model: Path, eye: Path, media: Sequence[Media]) -> str:
    """What llama.cpp's own program writes about the same pictures at the same places."""
    command = [eyes_program(), "-m", model, "--mmproj", eye, "-p", "abc<__media__> and<__media__> def", "--jinja"]
    command += [part for one in media for part in ("--image", one.path)]
    command += ["--temp", "0", "-n", ANSWER_TOKENS, "-c", "2048", "--no-warmup"]
    command += ["-t", "1"]  # with more threads it ends without a word now and then
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=True).stdout.strip()
