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
        """Return sizes for a run of a minute, or two on a busy machine: an eighth of the slices or less."""
        return cls((48, 512, 512), (48, 512, 512), (90, 256, 256), (6, 2048, 2048), (100, 16, 16))
