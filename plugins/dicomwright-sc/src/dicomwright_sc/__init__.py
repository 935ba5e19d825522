"""Secondary capture for dicomwright, and a reader of pictures."""
