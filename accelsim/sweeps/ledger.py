"""The finished points of a sweep, in one SQLite file that survives interruptions.

Each result is committed when it arrives. SQLite's write-ahead log keeps every commit when
the process is killed; only a power failure may lose the last ones, which then run again.
The file is locked as long as a sweep uses it.
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from pathlib import Path
from types import TracebackType

from accelsim.errors import UserError

_LAYOUT = 1


class Ledger:
    """Finished points by key, as JSON text.

    Raises ``UserError`` when the file is broken, foreign, or in use.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, Ledger(Path(folder) / "ledger.sqlite") as ledger:
    ...     ledger.record("a key", "a result")
    ...     ledger.find("a key"), ledger.find("another")
    ('a result', None)
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, timeout=0.5, isolation_level=None)
        except sqlite3.Error as error:
            raise UserError(
                str(path), f"cannot open: {error}", "name another folder with --out"
            ) from None
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def find(self, key: str) -> str | None:
        """The result of a finished point, or None."""
        try:
            query = "SELECT digest, result FROM points WHERE key = ?"
            row = self._db.execute(query, (key,)).fetchone()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise self._broken(error) from None
        if row is None:
            return None
        digest, packed = row
        # A damaged index can lead to another point's row, which SQLite does not notice.
        if not isinstance(packed, bytes) or digest != _digest(key, packed):
            raise self._broken(f"the result of point {key[:8]} has changed")
        return zlib.decompress(packed).decode()

    def record(self, key: str, result: str) -> None:
        """Store a finished point; it is safe on disk when this returns."""
        packed = zlib.compress(result.encode())
        try:
            row = (key, _digest(key, packed), packed)
            self._db.execute("INSERT OR REPLACE INTO points VALUES (?, ?, ?)", row)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise UserError(
                str(self.path), f"cannot write: {error}", "free some space, and start again"
            ) from None

    def close(self) -> None:
        """Unlock the file."""
        self._db.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _prepare(self) -> None:
        try:
            # Exclusive locking needs no shared memory, so network file systems work, too.
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("BEGIN IMMEDIATE")
            (layout,) = self._db.execute("PRAGMA user_version").fetchone()
            (n_tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if n_tables == 0:
                self._db.execute(
                    "CREATE TABLE points "
                    "(key TEXT PRIMARY KEY, digest BLOB NOT NULL, result BLOB NOT NULL)"
                )
                self._db.execute(f"PRAGMA user_version = {_LAYOUT}")
            elif layout != _LAYOUT:
                raise self._broken("it has another layout")
            self._db.execute("COMMIT")
            (verdict,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise self._broken(verdict)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise self._broken(error) from None
            raise UserError(
                str(self.path), "is in use by another sweep", "wait for it, or use another --out"
            ) from None
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise self._broken(error) from None

    def _broken(self, why: object) -> UserError:
        return UserError(
            str(self.path),
            f"is not a ledger of this program, or damaged ({why})",
            "move it away, and the sweep starts anew",
        )


def _digest(key: str, packed: bytes) -> bytes:
    return hashlib.sha256(key.encode() + packed).digest()
