"""The collection of photographed objects: made again from Debian's package, and checked."""
