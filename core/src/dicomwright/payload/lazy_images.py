"""Images that are made when they are asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LazyImages"]


class LazyImages(Sequence["NDArray[Any]"]):
    """Images of which the shapes are known before they are made; a base for readers of pages.

    Examples
    --------
    >>> import numpy as np
    >>> class Flat(LazyImages):
    ...     def image(self, position):
    ...         return np.full(self.shapes[position], position, np.uint8)
    >>> flat = Flat(((2, 3), (4, 5)), ("u1", "u1"))
    >>> len(flat), flat[-1].shape, [page.max() for page in flat[:1]]
    (2, (4, 5), [np.uint8(0)])

    Parameters
    ----------
    shapes : tuple of tuple of int
        Of each image: (rows, columns), or (rows, columns, 3).
    dtypes : tuple of str
        Of each image, as numpy names them.

    """

    def __init__(self, shapes: tuple[tuple[int, ...], ...], dtypes: tuple[str, ...]) -> None:
        self.shapes = shapes
        self.dtypes = dtypes

    @abstractmethod
    def image(self, position: int) -> NDArray[Any]:
        """Return one image, counted from 0."""

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, index: Any) -> Any:
        """Return one image, or a list of several."""
        if isinstance(index, slice):
            return [self.image(position) for position in range(*index.indices(len(self)))]
        return self.image(range(len(self))[index])
