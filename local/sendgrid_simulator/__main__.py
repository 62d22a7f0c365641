"""Serves the simulator from the command line."""

import argparse
from pathlib import Path

from local.sendgrid_simulator.app import build_app
from local.sendgrid_simulator.server import build_server, run
from local.sendgrid_simulator.simulation import Configuration, Simulation


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m local.sendgrid_simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes any free port")
    parser.add_argument("--certificate", type=Path, help="PEM file; without it, the simulator speaks plain HTTP")
    parser.add_argument("--private-key", type=Path, help="PEM file of the certificate's key")
    parser.add_argument("--record", type=Path, help="append every exchange to this file, one JSON object a line")
    parser.add_argument("--job-delay", type=float, default=1.0, help="seconds until an import job is done")
    return parser.parse_args(arguments)


def main() -> None:
    """Serves until told to stop."""
    arguments = parse_arguments()
    simulation = Simulation(Configuration(job_delay_seconds=arguments.job_delay))
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
