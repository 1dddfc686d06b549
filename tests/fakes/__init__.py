"""Outsiders for tests, on real sockets of this machine: mail servers, mailboxes and file servers that do as told."""
