"""`lend` in the terminal: another computer puts parts of a model into this one's memory, until Ctrl+C."""

from __future__ import annotations

import argparse
import ipaddress
import sys

from app.cli.terminal import interruptible_token
from app.core.errors import EngineStopped
from app.core.paths import AppPaths
from app.engine.lending import InUse, Lend, Lending, RpcWorker
from app.engine.rpc_machines import DEFAULT_PORT, is_private
from app.features.error_messages import sentence_for
from app.features.models.model_messages import format_gigabytes

WARNING = """Never on an open network: llama.cpp's RPC server is not secure. Whoever reaches this address can use it, \
and
nothing that passes is encrypted, neither the model nor what is read and written with it."""

LOCAL_WARNING = "Everyone who is logged in on this computer can use it: there is no key."


def add_arguments(part: argparse.ArgumentParser) -> None:
    part.add_argument(
        "--port",
        metavar="N",
        type=_parse_port,
        default=DEFAULT_PORT,
        help=f"where it listens ({DEFAULT_PORT}); 0: a free one",
    )
    part.add_argument(
        "--host",
        metavar="ADDRESS",
        type=_parse_host,
        default="127.0.0.1",
        help="this computer's address in a private network, such as 192.168.1.7 (127.0.0.1: this computer only)",
    )
    part.add_argument(
        "--memory",
        metavar="GB",
        type=_parse_gigabytes,
        default=0,
        help="at most so much of each device (what is free)",
    )
    part.add_argument("--threads", metavar="N", type=_parse_threads, default=0, help="of the processor (its cores)")
    part.set_defaults(run=run_lend)


def run_lend(options: argparse.Namespace) -> int:
    paths = AppPaths.from_environment()
    lend = Lend(options.host, options.port, options.memory, options.threads)
    with interruptible_token() as cancel:
        # The lambda reads `lender` when it is first called, which is after this line.
        lender = RpcWorker(lend, paths.engine, lambda event: _print_event(lender, event))
        try:
            lender.run(lambda: cancel.cancelled)
        finally:
            # Its child would go on lending.
            lender.close()
    return 0


def _print_event(lender: RpcWorker, event: Lending | InUse | EngineStopped) -> None:
    match event:
        case Lending(devices=devices):
            address = f"{lender.lend.host}:{lender.lend.port}"
            print(f"This computer lends its memory at {address}", file=sys.stderr)
            for device in devices:
                free = f"{format_gigabytes(device.free_bytes)} of {format_gigabytes(device.total_bytes)} GB"
                print(f"  {device.name} ({device.description}): {free}", file=sys.stderr)
            print("On the other computer: Settings, Servers and sharing, and this address.", file=sys.stderr)
            # llama.cpp's server has no key, so even here others may use it.
            if ipaddress.ip_address(lender.lend.host).is_loopback:
                print(LOCAL_WARNING, file=sys.stderr)
            print(f"{WARNING}\nCtrl+C ends it.", file=sys.stderr)
        case InUse(is_used=is_used):
            print("Another program uses it now." if is_used else "Nobody uses it now.", file=sys.stderr)
        case EngineStopped():
            print(f"{sentence_for(event).text} It is started again.", file=sys.stderr)
    # A log file or a pipe is to show at once who uses it.
    sys.stderr.flush()


def _parse_host(text: str) -> str:
    try:
        # Numbers only: a name could resolve to another address by the time it listens.
        number = str(ipaddress.IPv4Address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(
            "must be an address of this computer in numbers, such as 192.168.1.7"
        ) from None
    # Refused rather than warned of: llama.cpp's RPC server has no key and is not secure.
    if not is_private(number):
        raise argparse.ArgumentTypeError(
            f"{number} is not an address of a private network: what is lent there is open to everybody"
        )
    return number


def _parse_port(text: str) -> int:
    value = int(text)
    if not 0 <= value < 65536:
        raise argparse.ArgumentTypeError("must be between 0 and 65535")
    return value


def _parse_gigabytes(text: str) -> int:
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError("must be a number of gigabytes above 0")
    return int(value * 1e9)


def _parse_threads(text: str) -> int:
    value = int(text)
    if not 0 < value <= 1024:
        raise argparse.ArgumentTypeError("must be between 1 and 1024")
    return value
