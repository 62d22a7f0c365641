"""Serves the simulator from the command line."""

import argparse
from pathlib import Path

from local.sendgrid_simulator.app import build_app
from local.sendgrid_simulator.configuration import PROFILES, QUICK, changed
from local.sendgrid_simulator.server import build_server, run
from local.sendgrid_simulator.simulation import Simulation


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m local.sendgrid_simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes any free port")
    parser.add_argument("--certificate", type=Path, help="PEM file; without it, the simulator speaks plain HTTP")
    parser.add_argument("--private-key", type=Path, help="PEM file of the certificate's key")
    parser.add_argument("--record", type=Path, help="append every exchange to this file, one JSON object a line")
    parser.add_argument("--profile", choices=PROFILES, default=QUICK, help="the settings to begin with")
    parser.add_argument(
        "--set", action="append", default=[], type=_setting, metavar="NAME=VALUE", help="change one of them"
    )
    return parser.parse_args(arguments)


def _setting(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def main() -> None:
    """Serves until told to stop."""
    arguments = parse_arguments()
    simulation = Simulation(changed(PROFILES[arguments.profile], dict(arguments.set)))
    app = build_app(simulation, record_to=arguments.record)
    run(
        build_server(
            app,
            port=arguments.port,
            certificate=arguments.certificate,
            private_key=arguments.private_key,
        )
    )


if __name__ == "__main__":
    main()
