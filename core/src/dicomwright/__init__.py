"""Build valid DICOM from arrays, NIfTI and more, following a blueprint."""
