"""Generate the input of the works into a folder: volumes, a parent series, NIfTI files, and dicomwright's series."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import numpy as np
from contenders import MAKERS
from data import make_nifti, make_parents, smooth_volume


def main() -> None:
    """Generate; dicomwright writes each work once, because its headers are those of the limit."""
    folder = Path(sys.argv[1])
    w1, w2, w2_small, w3, w4 = (ast.literal_eval(shape) for shape in sys.argv[2:])
    np.save(folder / "w1.npy", smooth_volume(w1, "f4"))
    np.save(folder / "w3.npy", smooth_volume(w3, "u2"))
    np.save(folder / "w4.npy", smooth_volume(w4, "i2"))
    make_parents(folder / "parents", w1)
    make_nifti(folder / "w2.nii", w2)
    make_nifti(folder / "small.nii", w2_small)
    for work in ("w1", "w3", "w4"):
        MAKERS["dicomwright"](work, folder)(folder / f"{work}-made")


if __name__ == "__main__":
    main()
