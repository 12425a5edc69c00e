"""What a first visit costs: bytes, requests, what moves, and how long until the first map."""
