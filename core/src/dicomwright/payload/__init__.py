"""What is built from: volumes in space, images, documents; and how their values are stored.

Examples
--------
>>> import numpy as np
>>> affine = [[0, 0, 0.5, 0], [0, 0.5, 0, 0], [3, 0, 0, 0], [0, 0, 0, 1]]
>>> volume = Volume(np.zeros((4, 5, 6), np.int16), affine)
>>> volume.planes().spacing
3.0
>>> plan_stored_values(volume).lossless
True

"""

from __future__ import annotations

from dicomwright.payload.affine import Affine
from dicomwright.payload.decimal_string import ds, ds_down, ds_up
from dicomwright.payload.lazy_images import LazyImages
from dicomwright.payload.planes import Planes
from dicomwright.payload.slicing import SLICINGS
from dicomwright.payload.stored_values import StoredValueRules, StoredValues, plan_stored_values
from dicomwright.payload.volume import Document, Frames, Volume

__all__ = [
    "SLICINGS",
    "Affine",
    "Document",
    "Frames",
    "LazyImages",
    "Planes",
    "StoredValueRules",
    "StoredValues",
    "Volume",
    "ds",
    "ds_down",
    "ds_up",
    "plan_stored_values",
]
