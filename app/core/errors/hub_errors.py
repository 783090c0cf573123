"""The network and the Hub: what can’t be reached, is refused, or arrives damaged."""

from __future__ import annotations

from app.core.errors.app_error import HOST_CASES, EnvironmentProblem, ErrorText


class NetworkOff(EnvironmentProblem):
    message = ErrorText(
        "The network is switched off, so nothing is sent.", "Models on this computer still work.", "network"
    )


class HubUnreachable(EnvironmentProblem):
    """`reason`: offline (no name, no route), refused, timeout, tls, certificate (issuer unknown), proxy, proxy_sign_in,
    proxy_password, server (5xx), garbage or captive_portal.
    """

    host: str
    reason: str
    message = ErrorText(
        "Can’t reach {host}.",
        "Models on this computer still work.",
        "retry",
        cases=HOST_CASES
        | {
            "offline": "Can’t reach {host}. This computer seems to be offline.",
            "refused": "{host} isn’t accepting connections.",
            "tls": "The connection to {host} isn’t secure: its certificate isn’t valid.",
            "certificate": "This computer doesn’t trust the certificate of {host}. If your network checks its traffic, "
            "choose its authority under Settings › Network › Certificates.",
            "captive_portal": "Something is answering instead of {host}, such as a Wi-Fi sign-in page.",
        },
        actions=dict.fromkeys(("proxy", "proxy_sign_in", "proxy_password", "tls", "certificate"), "network"),
    )


class HubBusy(EnvironmentProblem):
    """`wait_s` is what the Hub asked for, 0 where it did not say."""

    host: str
    wait_s: int
    message = ErrorText(
        "{host} received too many requests. Please try again in {wait_s} seconds.",
        action="retry",
        case_of="wait_s",
        cases={"0": "{host} received too many requests. Please try again in a few minutes."},
    )


class ReleaseRefused(EnvironmentProblem):
    """`reason`: missing, too_long, signature, unreadable or replayed (older than one that was believed before)."""

    host: str
    reason: str
    message = ErrorText(
        "The answer from {host} about releases can’t be trusted, so it was ignored.",
        "This {app} wasn’t changed.",
        "retry",
        cases={
            "missing": "{host} has no information about releases.",
            "too_long": "The answer from {host} is too long to be about a release.",
            "signature": "The answer from {host} isn’t signed by the makers of {app}, so it was ignored.",
            "unreadable": "The answer from {host} is in a form this version of {app} can’t read.",
            "replayed": "The answer from {host} is older than its last one, so it was ignored.",
        },
    )


class RepositoryMissing(EnvironmentProblem):
    repo: str
    message = ErrorText("The repository {repo} doesn’t exist on the Hub, or it’s private.", "Check the name.")


class FileNotOnHub(EnvironmentProblem):
    repo: str
    file: str
    message = ErrorText("{repo} doesn’t have the file {file}.", "Choose a different file.")


class AccessGated(EnvironmentProblem):
    """`has_token`: whether a token was sent; then consent is still missing on the repository's page."""

    repo: str
    has_token: bool
    message = ErrorText(
        "{repo} needs your consent on its page on the Hub, then your access token.",
        action="network",
        case_of="has_token",
        cases={"True": "The owner of {repo} hasn’t given you access yet. Ask for it on its page on the Hub."},
        actions={"True": ""},
    )


class TokenRefused(EnvironmentProblem):
    message = ErrorText("The Hub doesn’t accept the access token.", action="network")


class TokenNotKept(EnvironmentProblem):
    message = ErrorText("This system has no keyring for the access token.", "It will be used until you quit.")


class CertificateUnreadable(EnvironmentProblem):
    """The chosen file holds no certificate, or more than a server needs."""

    path: str
    message = ErrorText("No readable certificate found in {name}.", "Choose a file such as ca.pem or ca.crt.")


class NotEnoughDisk(EnvironmentProblem):
    """`path` is the folder; `needed_bytes` includes the reserve that stays free."""

    path: str
    needed_bytes: int
    free_bytes: int
    message = ErrorText(
        "This needs {needed_bytes} on the disk, but only {free_bytes} are free.",
        "The download so far was kept.",
        "storage",
    )


class DiskTooSmall(NotEnoughDisk):
    """For copies, which begin only where there is room for all of them."""

    message = ErrorText(
        "This needs {needed_bytes} on the disk with {path}, but only {free_bytes} are free.", "Nothing was copied."
    )


class DownloadDamaged(EnvironmentProblem):
    file: str
    message = ErrorText(
        "{file} arrived damaged twice: it doesn’t match the Hub’s checksum.", "The damaged file was removed.", "retry"
    )


class DownloadFailed(EnvironmentProblem):
    file: str
    detail: str
    message = ErrorText("{file} couldn’t be downloaded.", "The download so far was kept.", "retry")


class DownloadRunning(EnvironmentProblem):
    file: str
    message = ErrorText("Another {app} is already downloading {file}.")
