"""The frame of every page: navigation, texts, waiting, the address."""
