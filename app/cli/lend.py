"""`lend` in the terminal: another computer puts parts of a model into this one's memory, until Ctrl+C."""

from __future__ import annotations

import argparse
import ipaddress
import sys

from app.cli import terminal
from app.core.catalogue import tr
from app.core.errors.engine_errors import EngineStopped
from app.core.paths import AppPaths
from app.engine.lending import InUse, Lend, Lending, RpcWorker
from app.engine.rpc_machines import DEFAULT_PORT, is_private
from app.features.error_messages import sentence_for
from app.features.models.model_messages import format_gigabytes

WARNING = (
    "Never use this on an open network: llama.cpp’s RPC server isn’t secure. Anyone who can reach this address\n"
    "can use it, and nothing is encrypted, neither the model nor your texts."
)
LOCAL_WARNING = "Anyone signed in to this computer can use it, because it needs no key."


def add_arguments(part: argparse.ArgumentParser) -> None:
    part.add_argument(
        "--port", metavar="N", type=_parse_port, default=DEFAULT_PORT, help=tr(terminal.PORT_HELP, port=DEFAULT_PORT)
    )
    part.add_argument(
        "--host",
        metavar="ADDRESS",
        type=_parse_host,
        default="127.0.0.1",
        help=tr("this computer’s address in a private network, such as 192.168.1.7 (127.0.0.1: this computer only)"),
    )
    part.add_argument(
        "--memory",
        metavar="GB",
        type=_parse_gigabytes,
        default=0,
        help=tr("most memory to lend on each device (default: all that’s free)"),
    )
    part.add_argument(
        "--threads",
        metavar="N",
        type=_parse_threads,
        default=0,
        help=tr("number of CPU threads (default: one per core)"),
    )
    part.set_defaults(run=run_lend)


def run_lend(options: argparse.Namespace) -> int:
    paths = AppPaths.from_environment()
    lend = Lend(options.host, options.port, options.memory, options.threads)
    with terminal.interruptible_token() as cancel:
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
            print(tr("Lending this computer’s memory at {address}", address=address), file=sys.stderr)
            for device in devices:
                free, total = format_gigabytes(device.free_bytes), format_gigabytes(device.total_bytes)
                memory = tr("{free} of {total} GB", free=free, total=total)
                print(f"  {device.name} ({device.description}): {memory}", file=sys.stderr)
            print(tr("On the other computer, add this address under Settings › Servers and sharing."), file=sys.stderr)
            # llama.cpp's server has no key, so even here others may use it.
            if ipaddress.ip_address(lender.lend.host).is_loopback:
                print(tr(LOCAL_WARNING), file=sys.stderr)
            print(f"{tr(WARNING)}\n{tr(terminal.PRESS_TO_STOP)}", file=sys.stderr)
        case InUse(is_used=is_used):
            print(tr("In use by another program.") if is_used else tr("Not in use."), file=sys.stderr)
        case EngineStopped():
            print(sentence_for(event).text, tr("Restarting it."), file=sys.stderr)
    # A log file or a pipe is to show at once who uses it.
    sys.stderr.flush()


def _parse_host(text: str) -> str:
    try:
        # Numbers only: a name could resolve to another address by the time it listens.
        number = str(ipaddress.IPv4Address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(tr("must be this computer’s IP address, such as 192.168.1.7")) from None
    # Refused rather than warned of: llama.cpp's RPC server has no key and is not secure.
    if not is_private(number):
        raise argparse.ArgumentTypeError(
            tr("{number} isn’t a private network address, so anyone could use what you lend", number=number)
        )
    return number


def _parse_port(text: str) -> int:
    value = int(text)
    if not 0 <= value < 65536:
        raise argparse.ArgumentTypeError(tr(terminal.BETWEEN, least=0, most=65535))
    return value


def _parse_gigabytes(text: str) -> int:
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(tr("must be a number of gigabytes above 0"))
    return int(value * 1e9)


def _parse_threads(text: str) -> int:
    value = int(text)
    if not 0 < value <= 1024:
        raise argparse.ArgumentTypeError(tr(terminal.BETWEEN, least=1, most=1024))
    return value
