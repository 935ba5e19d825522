"""DICOM in, DICOM out: receive series, run a function on them, send the result on."""
