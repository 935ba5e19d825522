"""Independent validators of DICOM files."""
