"""Tool servers: programs whose tools a model may call."""

from __future__ import annotations

from app.core.errors.app_error import FILE_CASES, EnvironmentProblem, ErrorText


class ToolServersUnreadable(EnvironmentProblem):
    """`reason` is one of: missing, denied, not_a_file, too_long, no_json or no_servers."""

    path: str
    reason: str
    message = ErrorText(
        "{name} lists no tool servers.",
        "Nothing was changed.",
        cases=FILE_CASES
        | {"too_long": "{name} is too long for a list of tool servers.", "no_json": "{name} isn’t a JSON file."},
    )


class SignInFailed(EnvironmentProblem):
    """`reason`: unsupported (the server describes no safe sign-in; `detail` says what of it) or refused."""

    host: str
    reason: str
    detail: str
    message = ErrorText(
        "Signing in to {host} didn’t work.",
        "",
        "retry",
        cases={
            "unsupported": "{host} offers no sign-in that Fireside can use.",
            "refused": "{host} refused the sign-in: {detail}",
        },
    )


class ToolServerFailed(EnvironmentProblem):
    """`reason`: missing (no such program), unfetched (it would need the network first), contained (it would run in a
    container), ended, silent, busy (cooling off), unsigned (it wants a sign-in), refused, declined (one request) or
    wrong (not MCP). `detail`: what it wrote last, why it refused, or what runs the container.
    """

    server: str
    reason: str
    detail: str
    message = ErrorText(
        "The tool server “{server}” doesn’t work.",
        "",
        "retry",
        cases={
            "missing": "The program of the tool server “{server}” wasn’t found. Is it installed?",
            "unfetched": "The program of the tool server “{server}” isn’t here yet. Allow it the network to fetch it.",
            "contained": "The tool server “{server}” can’t use {detail} here. Start it yourself and add its address.",
            "ended": "The tool server “{server}” stopped: {detail}",
            "silent": "The tool server “{server}” isn’t responding.",
            "busy": "The tool server “{server}” didn’t respond last time. It’s left alone for a minute.",
            "refused": "The tool server “{server}” refused the connection: {detail}",
            "unsigned": "Sign in to use the tool server “{server}”.",
            "declined": "The tool server “{server}” refused: {detail}",
            "wrong": "“{server}” doesn’t answer like a tool server.",
        },
    )


class WebPageRefused(EnvironmentProblem):
    """`reason`: not_public (an address of this computer or its network), type, too_long, missing, status, moved (to no
    address of the web) or circles (redirects without end).
    """

    host: str
    reason: str
    message = ErrorText(
        "{host} didn’t give the page.",
        cases={
            "not_public": "{host} isn’t a public website.",
            "type": "What {host} sent is neither text nor a document.",
            "too_long": "The page on {host} is too long.",
            "missing": "{host} has no such page.",
            "moved": "{host} leads to something that isn’t a web page.",
            "circles": "{host} leads from page to page without end.",
        },
    )
