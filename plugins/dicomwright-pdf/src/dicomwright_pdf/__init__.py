"""PDF for dicomwright."""
