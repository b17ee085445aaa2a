"""The measurements behind every figure that the README gives: `make bench`."""
