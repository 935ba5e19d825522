"""How large the works are."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Sizes"]


@dataclass(frozen=True)
class Sizes:
    """How large the works are: (slices, rows, columns)."""

    w1: tuple[int, int, int] = (512, 512, 512)
    w2: tuple[int, int, int] = (200, 512, 512)
    w2_small: tuple[int, int, int] = (180, 256, 256)
    w3: tuple[int, int, int] = (64, 2048, 2048)
    w4: tuple[int, int, int] = (5000, 16, 16)

    @classmethod
    def quick(cls) -> Sizes:
        """Return sizes for a run of a minute or two: a quarter of the slices or less."""
        return cls((96, 512, 512), (100, 512, 512), (90, 256, 256), (16, 2048, 2048), (300, 16, 16))
