"""The inside of the clients: pure modules, and two thin shells over them.

`http` is bytes; `plain`, `requests` and `answers` are the API; `retry` and `talk` say what follows: all pure.
`place` finds the socket, `shell` has what both shells share; `wire` and `async_wire` are the only ones that use it.
"""
