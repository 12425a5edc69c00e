"""The commands: `effnet-viz COMMAND`."""
