"""Compressed transfer syntaxes for dicomwright."""
