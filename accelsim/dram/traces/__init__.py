"""Request traces and command traces: reading, writing, generating."""
