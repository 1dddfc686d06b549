"""The two secrets of a folder: the key that programs call with, and the one that signs webhooks."""

import contextlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

NAME = "keys.json"


@dataclass(frozen=True, slots=True)
class Keys:
    """The secret key of the API, and the secret of the one webhook endpoint."""

    secret_key: str
    webhook_secret: str


def keys_of(folder: Path) -> Keys:
    """Return the folder's keys, made at the first call and readable by their owner alone."""
    path = folder / NAME
    with contextlib.suppress(FileNotFoundError):
        return _read(path)
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{NAME}.{os.getpid()}.{secrets.token_hex(4)}"
    made = {"secret_key": f"sk_test_{secrets.token_hex(24)}", "webhook_secret": f"whsec_{secrets.token_hex(24)}"}
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(made, file)
    try:
        # A link is made whole or not at all, and only once: whoever comes second reads the first one's keys.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    return _read(path)


def _read(path: Path) -> Keys:
    read = json.loads(path.read_text())
    return Keys(read["secret_key"], read["webhook_secret"])
