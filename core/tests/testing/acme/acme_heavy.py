import numpy as np

VERSION = np.__version__
