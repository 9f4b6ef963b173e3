"""Traces of requests and of commands: read, written, made."""
