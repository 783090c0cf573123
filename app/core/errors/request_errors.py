"""Requests that a loaded model refuses: too long, not its kind, or not in a form that it takes."""

from __future__ import annotations

from typing import Any

from app.core.errors.app_error import EnvironmentProblem, ErrorText


class MediaRefused(EnvironmentProblem):
    """`reason` is one of: missing, damaged, blind (the model sees no pictures), deaf (it hears nothing), unfit (its
    encoder does not take it), failed (its encoder computed no numbers). `kind` is picture or sound.
    """

    path: str
    kind: str
    reason: str
    message = ErrorText(
        "The {kind} couldn’t be sent to the model.",
        "Your message was kept.",
        cases={
            "missing": "The {kind} is missing.",
            "damaged": "The {kind} is damaged, so it wasn’t sent to the model.",
            "blind": "The loaded model can’t see pictures. Choose one that can.",
            "deaf": "The loaded model can’t hear. Choose one that can, such as Gemma 4 E2B.",
            "unfit": "The loaded model can’t use this {kind}.",
            "failed": "The model couldn’t process this {kind}.",
        },
        actions={"blind": "models", "deaf": "models"},
    )


class GrammarInvalid(EnvironmentProblem):
    detail: str
    message = ErrorText("The requested format can’t be used because its grammar isn’t valid.")


class ChatUnavailable(EnvironmentProblem):
    path: str
    message = ErrorText(
        "{name} has no chat template, so it can’t chat. It can continue text in Write or with “fireside complete”.",
        action="open_model",
    )


class TokenUnknown(EnvironmentProblem):
    token: int
    vocabulary: int
    message = ErrorText("The model has no token {token}. Use 0 to {last:,}.")

    @property
    def values(self) -> dict[str, Any]:
        return super().values | {"last": self.vocabulary - 1}


class InfillUnavailable(EnvironmentProblem):
    path: str
    message = ErrorText(
        "{name} can continue a text but can’t fill in the middle.", "Your text was kept. Try a model made for code."
    )


class EmbeddingsUnavailable(EnvironmentProblem):
    """`instead` names installed models that turn texts into vectors."""

    path: str
    instead: tuple[str, ...] = ()
    message = ErrorText(
        "{name} isn’t an embedding model, and this computer has none.",
        cases={"others": "{name} isn’t an embedding model. Use {others}."},
    )

    @property
    def case(self) -> str:
        return "others" if self.instead else ""

    @property
    def values(self) -> dict[str, Any]:
        return super().values | {"others": " or ".join(self.instead)}


class CheckingUnavailable(EnvironmentProblem):
    path: str
    message = ErrorText("{name} isn’t a claim checker.", "Nothing was marked. Try LettuceDetect or TinyLettuce.")


class TooLongToInspect(EnvironmentProblem):
    tokens: int
    most: int
    message = ErrorText("This text has {tokens:,} tokens; {most:,} can be shown at once.", "Try a shorter part of it.")


class ModelNotInspectable(EnvironmentProblem):
    """`what` was asked for: attention, layers or probabilities."""

    path: str
    what: str
    message = ErrorText(
        "{name} can’t show its {what}, because models of this kind don’t provide it.", "Everything else is available."
    )


class TemplateFailed(EnvironmentProblem):
    path: str
    detail: str
    message = ErrorText("The chat template in {name} failed.", "Your message was kept.", "open_model")


class PromptTooLong(EnvironmentProblem):
    prompt_tokens: int
    context_tokens: int
    message = ErrorText(
        "This needs {prompt_tokens:,} tokens, but the model’s context holds {context_tokens:,}.",
        "Nothing was left out.",
        "new_chat",
    )


class ContextLimited(PromptTooLong):
    """`limit` is what keeps the context from being as large as it had to be: model, memory, or settings.

    `largest_tokens` is the largest that this model may have here.
    """

    limit: str
    largest_tokens: int
    message = ErrorText(
        "This needs {prompt_tokens:,} tokens, and the largest context here is {largest_tokens:,}.",
        "Nothing was left out.",
        "new_chat",
    )
