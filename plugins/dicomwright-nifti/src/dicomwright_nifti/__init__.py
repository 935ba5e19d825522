"""NIfTI for dicomwright."""
