"""Keys that sign or hide: from an environment variable, or from the file that ``<variable>_FILE`` or a setting names.

A key itself stands in no setting and in no file of the output; its id, a short hash, says which one it was.
"""

import hashlib
import hmac
import os
from pathlib import Path

from prevenance.base.errors import PrevenanceError


def read_key(variable: str, code: str, file: str | None = None) -> bytes | None:
    """Return the key of an environment variable, else that of a file without spaces around it; ``None`` where neither is named.

    Args:
        variable: such as PREVENANCE_MODEL_KEY; ``<variable>_FILE`` names a file and wins over ``file``.
        code: of the error where a named file gives no key.
        file: the file that a setting names.

    Raises:
        PrevenanceError: ``code`` if the file cannot be read, holds nothing, or may be read by others than its owner.
    """
    if given := os.environ.get(variable, ""):
        return os.fsencode(given)
    named = os.environ.get(f"{variable}_FILE", "") or file
    return _read(Path(named), variable, code) if named else None


def _read(path: Path, variable: str, code: str) -> bytes:
    try:
        # an editor or echo ends the file with a newline that nobody means
        mode, key = path.stat().st_mode & 0o777, path.read_bytes().strip()
    except OSError as problem:
        what = f"the file of a key cannot be read ({type(problem).__name__})"
        raise PrevenanceError(code, what, fix=f"put the key there, or into {variable}", path=path) from problem
    # a key that others can read signs nothing
    if os.name == "posix" and mode & 0o077:
        raise PrevenanceError(code, f"the file of a key is open to others (mode {mode:04o})", fix=f"chmod 600 {path}", path=path)
    if not key:
        raise PrevenanceError(code, "the file of a key is empty", fix=f"put the key there, or into {variable}", path=path)
    return key


def key_id(key: bytes) -> str:
    """Return the short hash that names a key without telling it."""
    # a prefix of its own, so that no hash of anything else under this key can be taken for its name
    return hashlib.sha256(b"key id" + key).hexdigest()[:12]


def keyed_hash(key: bytes, text: str) -> str:
    """Return the keyed hash of an id (HMAC-SHA256, hex): without the key nobody can test a guess."""
    return hmac.new(key, text.encode("utf-8", errors="surrogatepass"), hashlib.sha256).hexdigest()
