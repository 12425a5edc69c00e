"""The commands: `effnet-viz COMMAND`, one module each."""
