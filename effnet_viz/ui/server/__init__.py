"""Serves the app: `effnet-viz serve`.

start (the order of things)  process (threads, memory, the first model)  garbage  address (where it
can be opened)  app (what a request passes through)  headers  closed  static_files  index_page
representation (plain or compressed)  uploads  metrics.
"""
