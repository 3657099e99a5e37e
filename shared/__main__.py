"""`python -m shared …`."""

import sys


def _run() -> int:
    try:
        from shared.cli.commands import main

        return main()
    except ModuleNotFoundError as error:
        if (error.name or "shared").partition(".")[0] == "shared":
            raise
        sys.stderr.write(
            f"The Python package {error.name} is missing here. `make install` puts all of them into .venv; then, from "
            "this folder: .venv/bin/python -m shared …\n"
        )
        return 2


if __name__ == "__main__":
    sys.exit(_run())
