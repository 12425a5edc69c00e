"""Where the app can be opened, told when it can."""

from __future__ import annotations

import sys
from ipaddress import ip_address

from streamlit import cli_util, config, net_util
from streamlit.web.server import server_util

THIS_COMPUTER = "localhost"


def local_network_address() -> str | None:
    """This computer's address in the local network; None where it has none that can be found."""
    found = net_util.get_internal_ip()
    return found if found and not ip_address(found).is_loopback else None


def announcement(bound: str) -> str:
    """What is told of a server that listens at this address, and how to change that."""
    host = server_util.get_display_address(bound)
    here = server_util.get_url(THIS_COMPUTER if is_loopback(bound) else host)
    lines = [f"effnet-viz is ready at {here}"]
    if is_loopback(bound):
        lines.append(
            "Only this computer reaches it. For a class: make app SHARE=1, or effnet-viz serve "
            "--share"
        )
    elif host != bound:  # every interface
        shared = local_network_address()
        if shared is not None:
            lines.append(f"A class opens {server_util.get_url(shared)}")
        else:
            lines.append(
                "This computer's address in a network was not found: look into its network "
                f"settings, and open it in place of {THIS_COMPUTER}."
            )
    return "".join(f"  {line}\n" for line in ("", *lines, ""))


def announce() -> None:
    """Tells the address and, where this computer has a screen, opens it in a browser."""
    bound = config.get_option("server.address")
    sys.stdout.write(announcement(bound))
    sys.stdout.flush()
    if not config.get_option("server.headless"):
        cli_util.open_browser(server_util.get_url(server_util.get_display_address(bound)))


def is_loopback(address: str) -> bool:
    """Whether only this computer reaches what listens there."""
    try:
        return ip_address(address).is_loopback
    except ValueError:  # a name
        return address == THIS_COMPUTER
