"""Pictures: what looking and the first token cost beside llama-server, and whether llama.cpp reads and writes the same.

The projector has the size of SmolVLM's (SigLIP-B, 512 pixels, 16 bits) and random weights, which take as long as real
ones; 1,024 patches of it become as many tokens. It is made here, for the starter.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from operator import eq
from pathlib import Path

import numpy as np
from comparing import EQUAL_TIME, compared, progress
from llama_build import eyes_program, tokens_program
from llama_server import LlamaServer
from our_engine import GREEDY, OurEngine, starter, then
from run import Row

from app.core.events import Media, Message, Role, TextDelta, TokenChosen
from app.engine.protocol import Ask
from tests.helpers import tiny_eyes
from tests.helpers.tiny_models import WIDTH, make_tiny
from tests.helpers.writer import Seer

ROUNDS = 5
STARTER_WIDTH = 576
IMAGE, PATCH, TOWER, BLOCKS = 512, 16, 768, 12
ANSWER_TOKENS = 16
CLI_RUNS = 3
MARKED = "abc<__media__> and<__media__> def"
QUESTION = "\nWhat is on the picture? Answer in one sentence."
AT_MOST_SECOND = 0.1


def rows() -> Iterator[Row]:
    """Times first, then tokens and texts."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
        folder = Path(scratch)
        yield from times(folder)
        yield from same(folder)


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


def same(folder: Path) -> Iterator[Row]:
    """Prompts and greedy answers about two pictures, for each family of projectors and for the eye that sees."""
    asked = [compare(family, folder) for family in (*tiny_eyes.FAMILIES, "")]
    prompts, placed, written, texts = zip(*asked, strict=True)
    name = "of a prompt with two pictures, ids and positions that are llama.cpp's"
    yield Row(name, sum(placed), "tokens", sum(prompts), at_least=1.0)
    answers = [len(theirs) for theirs, _ in written]
    name = "greedy answers about them, ids that are llama.cpp's"
    yield Row(name, sum(equal for _, equal in written), "tokens", sum(answers), at_least=1.0)
    yield Row("greedy answers that are llama-mtmd-cli's", sum(texts), "projectors", len(asked), at_least=1.0)


def compare(family: str, folder: Path) -> tuple[int, int, tuple[list[int], int], bool]:
    """For one projector: tokens of the prompt, those that stand where llama.cpp has them, its answer with how many of
    our ids are the same, and whether llama-mtmd-cli writes our text.
    """
    progress(f"llama.cpp's own programs, {family or 'the eye that sees'}")
    random = np.random.default_rng(2)
    if family:
        model = make_tiny(tiny_eyes.TEXT_MODELS[family], folder / f"{family}.gguf")
        image = 560 if family == "gemma3" else tiny_eyes.IMAGE
        eye = tiny_eyes.make_random_eye(family, folder / f"{family}-eye.gguf", WIDTH, image=image)
        sizes = ((64, 64), (300, 200))
        media = [tiny_eyes.picture(folder, random.integers(0, 256, (high, wide, 3))) for wide, high in sizes]
    else:
        model, eye = starter(), tiny_eyes.make_eye(starter(), folder / "sees.gguf")
        media = [tiny_eyes.noisy(folder, "red", 1), tiny_eyes.noisy(folder, "blue", 2)]
    message = Message(
        Role.USER, "abc and def", tuple(replace(one, at=at) for one, at in zip(media, (3, 7), strict=True))
    )
    theirs = json.loads(printed([tokens_program(), model, eye, MARKED, ANSWER_TOKENS, *(one.path for one in media)]))
    seer = Seer(model, eye)
    ours = [[id_, place] for id_, place in seer.placed(seer.parts(message))]
    seer.free()
    with OurEngine(folder / f"same-{family}", model=model, context_tokens=2048, projector=eye) as engine:
        text, ids = written(engine, message)
    placed = sum(map(eq, ours, theirs["prompt"])) if len(ours) == len(theirs["prompt"]) else 0
    equal = next((at for at, (a, b) in enumerate(zip(ids, theirs["written"], strict=False)) if a != b), len(ids))
    return len(theirs["prompt"]), placed, (theirs["written"], equal), text.strip() == written_by_cli(model, eye, media)


def written(engine: OurEngine, message: Message) -> tuple[str, list[int]]:
    """A greedy answer of ours, and the ids of its tokens."""
    text, ids = "", list[int]()
    ask = Ask([message], ANSWER_TOKENS, GREEDY, alternatives=0)
    for event in engine.client.answer(ask):
        text += event.text if isinstance(event, TextDelta) else ""
        ids += [event.token.id] if isinstance(event, TokenChosen) else []
    return text, ids


def written_by_cli(model: Path, eye: Path, media: Sequence[Media]) -> str:
    """What llama.cpp's own program writes about the same pictures at the same places.

    WORKAROUND: it prints from another thread and now and then ends before that has, so it is asked several times.
    """
    command = [eyes_program(), "-m", model, "--mmproj", eye, "-p", MARKED, "--jinja"]
    command += [part for one in media for part in ("--image", one.path)]
    command += ["--temp", "0", "-n", ANSWER_TOKENS, "-c", "2048", "--no-warmup"]
    command += ["-t", "1"]
    return max((printed(command).strip() for _ in range(CLI_RUNS)), key=len)


def printed(command: Sequence[object]) -> str:
    """What a program prints."""
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=True).stdout
