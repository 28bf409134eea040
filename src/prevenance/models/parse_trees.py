"""Run as a script: parse LightGBM's text of trees from standard input and score one row. It ends with 0, with 1 if that is no model, or breaks.

Arguments: the folder of LightGBM, how many features the trees are over, bytes of memory, seconds. Only LightGBM's library is loaded, through
its C interface: that takes 40 milliseconds, where importing the package takes more than a second.
"""

import ctypes
import importlib.util
import sys
from contextlib import suppress
from pathlib import Path


def limit(memory: int, seconds: int) -> None:
    """Bound memory, time, and what is written (nothing, not even a core file), as far as the system can."""
    with suppress(ImportError):
        import resource

        bounds = {resource.RLIMIT_AS: memory, resource.RLIMIT_CPU: seconds, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0}
        for what, most in bounds.items():
            hard = resource.getrlimit(what)[1]
            least = most if hard == resource.RLIM_INFINITY else min(most, hard)
            with suppress(ValueError, OSError):
                resource.setrlimit(what, (least, least))


def parses(folder: str, features: int, text: bytes) -> bool:
    """Return whether the text is a model of so many features that gives a row of zeros one value."""
    found = importlib.util.spec_from_file_location("libpath", Path(folder) / "libpath.py")
    if found is None or found.loader is None:
        return False
    libpath = importlib.util.module_from_spec(found)
    found.loader.exec_module(libpath)
    engine = libpath._LIB
    model, trees, width, length = ctypes.c_void_p(), ctypes.c_int(), ctypes.c_int(), ctypes.c_int64()
    if engine.LGBM_BoosterLoadModelFromString(ctypes.c_char_p(text), ctypes.byref(trees), ctypes.byref(model)):
        return False
    if engine.LGBM_BoosterGetNumFeature(model, ctypes.byref(width)) or width.value != features:
        return False
    row, value = (ctypes.c_double * features)(), (ctypes.c_double * 64)()
    doubles, by_row, raw = 1, 1, 1
    ended = engine.LGBM_BoosterPredictForMat(
        model, row, doubles, 1, features, by_row, raw, 0, -1, ctypes.c_char_p(b"num_threads=1"), ctypes.byref(length), value
    )
    return not ended and length.value == 1


if __name__ == "__main__":
    where, many, most, longest = sys.argv[1:5]
    limit(int(most), int(longest))
    sys.exit(0 if parses(where, int(many), sys.stdin.buffer.read()) else 1)
