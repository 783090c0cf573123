"""Model servers elsewhere, and the server of this program."""

from __future__ import annotations

from app.core.errors.app_error import HOST_CASES, EnvironmentProblem, ErrorText


class KeyFileUnreadable(EnvironmentProblem):
    path: str
    detail: str
    message = ErrorText("{name} has no key for the server: {detail}.", "Nothing was started.")


class PortTaken(EnvironmentProblem):
    host: str
    port: int
    detail: str
    message = ErrorText("The server can’t use {host}, port {port}: {detail}.", "Choose another port.")


class ServerUnreachable(EnvironmentProblem):
    """`host` includes the port. `reason`: offline (no name, no route), refused, timeout, proxy, server (5xx), garbage,
    tls (no secure connection), certificate (issuer unknown), certificate_name (another host's), certificate_date, html
    (a web page), moved (redirects), not_a_server (nothing of the kind there), broken (ended midway).
    """

    host: str
    reason: str
    message = ErrorText(
        "Can’t reach {host}.",
        "The answer so far was kept.",
        "retry",
        cases=HOST_CASES
        | {
            "offline": "Can’t reach {host}. The name wasn’t found, or this computer is offline.",
            "refused": "{host} isn’t accepting connections. Is the server running?",
            "tls": "Couldn’t connect securely to {host}. If it doesn’t use encryption, start its address with http://.",
            "certificate": "This computer doesn’t trust the certificate of {host}. If you do, choose its certificate "
            "authority in the server’s settings.",
            "certificate_name": "The certificate of {host} is for another name. Use that name as the address.",
            "certificate_date": "The certificate of {host} has expired or isn’t valid yet. It must be renewed on the "
            "server.",
            "html": "{host} answered with a web page, not as a model server. Is the address right?",
            "moved": "{host} redirects to another address. Nothing was sent there.",
            "not_a_server": "No model server at this address of {host}. The address often ends in /v1.",
            "broken": "The connection to {host} was lost.",
        },
        actions=dict.fromkeys(("proxy", "proxy_sign_in", "proxy_password"), "network")
        | dict.fromkeys(("tls", "certificate", "certificate_name", "html", "moved", "not_a_server"), "servers"),
    )


class ServerBusy(EnvironmentProblem):
    """`wait_s` is what it asked for, 0 where it did not say."""

    host: str
    wait_s: int
    message = ErrorText(
        "{host} isn’t taking more requests now. Please try again in {wait_s} seconds.",
        "The answer so far was kept.",
        "retry",
        case_of="wait_s",
        cases={"0": "{host} isn’t taking more requests now. Please try again in a few minutes."},
    )


class ServerKeyRefused(EnvironmentProblem):
    """`has_key`: whether a key was sent; then it is another one that is wanted."""

    host: str
    has_key: bool
    message = ErrorText(
        "{host} needs a key.",
        "The answer so far was kept.",
        "servers",
        case_of="has_key",
        cases={"True": "{host} doesn’t accept the key."},
    )


class ServerLacksModel(EnvironmentProblem):
    host: str
    model: str
    message = ErrorText("{host} doesn’t have the model {model}.", "The answer so far was kept.", "servers")


class ServerRefused(EnvironmentProblem):
    """`detail` is the server's message, shortened to one line."""

    host: str
    detail: str
    message = ErrorText(
        "{host} refused this: “{detail}”.",
        "The answer so far was kept.",
        "retry",
        case_of="detail",
        cases={"": "{host} refused this."},
    )


class NotOffered(EnvironmentProblem):
    """`what` was asked for: probabilities, inside or infill."""

    host: str
    what: str
    message = ErrorText(
        "{host} doesn’t offer this.",
        "Use a model on this computer instead.",
        case_of="what",
        cases={
            "probabilities": "{host} doesn’t report how likely each word was.",
            "inside": "You can’t look inside a model that runs on {host}.",
            "pictures": "{host} only accepts text.",
            "infill": "{host} can continue a text but can’t fill in the middle.",
        },
    )


class DocumentStaysHere(EnvironmentProblem):
    host: str
    name: str
    message = ErrorText("{name} wasn’t sent to {host}.", "It stayed on this computer.", "open_model")
