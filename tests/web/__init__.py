"""Tests of the page: its server on real sockets, and the page in a real browser."""
