"""The version of this package. Nothing else lives here."""

VERSION = "0.1.0"

SDK = f"mutirao-python/{VERSION}"
"""Name and version of this library, as ``hello`` tells them."""
