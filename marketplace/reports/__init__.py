"""What pages ask: figures and lists shaped for reading. Nothing here writes, and nothing here knows of HTTP."""
