"""Raw volumes, NumPy, NRRD and MetaImage files for dicomwright."""
