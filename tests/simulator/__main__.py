"""Run the simulator: `python -m tests.simulator` prints the settings to use, then serves until it is ended."""

import argparse
import json

from tests.simulator.server import LOOPBACK, listen, render, serve, settings_to_use
from tests.simulator.settings import Settings
from tests.simulator.tenant import Identifiers, Tenant


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0 takes a free one")
    parser.add_argument("--json", action="store_true", help="print the settings as one line of JSON")
    parser.add_argument("--log-delay-seconds", type=float, help="from processing to a visible log record")
    parser.add_argument("--cycle-seconds", type=float, help="interval of the job's cycles; 0: each request at once")
    parser.add_argument("--latency-ms", type=float, help="before every answer")
    parser.add_argument("--queue-capacity", type=int, help="operations that a job's queue holds")
    parser.add_argument("--no-limits", action="store_true", help="no rate limits and no daily quota")
    for name in ("tenant-id", "client-id", "client-secret", "identity-header", "service-principal-id", "job-id"):
        parser.add_argument(f"--{name}", help="instead of a random one")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=JSON", help="any setting by camelCase name")
    return parser.parse_args()


def _settings(arguments: argparse.Namespace) -> Settings:
    settings = Settings()
    for name in ("log_delay_seconds", "cycle_seconds", "latency_ms", "queue_capacity"):
        if (value := getattr(arguments, name)) is not None:
            setattr(settings, name, value)
    if arguments.no_limits:
        settings.change({"callsPer5Seconds": None, "callsPerDay": None, "logRequestsPer10Seconds": None})
    for assignment in arguments.set:
        name, _, value = assignment.partition("=")
        settings.change({name: json.loads(value)})
    return settings


def main() -> None:
    """Parse, bind, print, serve."""
    arguments = _arguments()
    names = ("tenant_id", "client_id", "client_secret", "identity_header", "service_principal_id", "job_id")
    given = {name: getattr(arguments, name) for name in names if getattr(arguments, name)}
    listener = listen(arguments.port)
    tenant = Tenant(
        _settings(arguments),
        identifiers=Identifiers(**given),
        base_url=f"http://{LOOPBACK}:{listener.getsockname()[1]}",
    )
    text = render(settings_to_use(tenant), as_json=arguments.json)
    serve(tenant, listener, lambda: print(text, flush=True))


if __name__ == "__main__":
    main()
