"""From an example series to the draft of a blueprint: what each tag is, which rule makes it, and the proof.

>>> from dicomwright.learn import learn
>>> learned = learn("ct_series/")                              # doctest: +SKIP
>>> print(learned.text)                                        # doctest: +SKIP
"""

from __future__ import annotations

from dicomwright.learn.proof import Difference
from dicomwright.learn.run import Learned, learn
from dicomwright.learn.traits import KINDS, Trait

__all__ = ["KINDS", "Difference", "Learned", "Trait", "learn"]
