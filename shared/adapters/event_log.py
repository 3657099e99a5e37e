"""Events for operators: one JSON object as the log message.

The Functions worker forwards a message's text and drops `extra=`, so the fields travel in the text and alert rules
read them with `parse_json(message)`. Fields are ids, codes, numbers, and texts of own errors with nothing else in them.
"""

import json
import logging

_LOGGER = logging.getLogger("hr_connector")
_CHATTY = dict.fromkeys(("azure", "azurefunctions", "httpx", "httpcore", "msal"), logging.WARNING)
_CHATTY["urllib3"] = logging.CRITICAL
"""Its warnings have URLs too."""


def quiet_libraries() -> None:
    """Libraries log what must not reach telemetry, most of it at INFO: URLs with file names and workers' ids."""
    for name, level in _CHATTY.items():
        logging.getLogger(name).setLevel(level)


class LoggedEvents:
    """The real `EventLog`."""

    def info(self, event: str, **fields: str | int | None) -> None:
        """Something went as it should."""
        _LOGGER.info(_message(event, "info", fields))

    def warning(self, event: str, **fields: str | int | None) -> None:
        """Worth knowing, and nothing waits for it."""
        _LOGGER.warning(_message(event, "warning", fields))

    def error(self, event: str, **fields: str | int | None) -> None:
        """A person has something to do: the alert rule looks for these."""
        _LOGGER.error(_message(event, "error", fields))


def _message(event: str, level: str, fields: dict[str, str | int | None]) -> str:
    return json.dumps({"event": event, "level": level, **fields})
