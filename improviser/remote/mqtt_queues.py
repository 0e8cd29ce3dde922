"""The bounded queues between a session and its link to a broker: what goes out, and what comes in.

A full queue drops and counts what comes, so that no publisher waits for a broker. Of a retained topic only the newest
post is kept.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiomqtt

from improviser.pacing import Bucket

STREAM_KEPT, REPLIES_KEPT, INBOX_KEPT = 2000, 1000, 1000
BATCH = 20


@dataclass(frozen=True, slots=True)
class Post:
    """A message to be published.

    :param correlation: the correlation data of the request that this replies to, sent back with MQTT 5; None without.
    """

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    correlation: bytes | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """A message that came in; `correlation` is the correlation data that a request bore, None without."""

    topic: str
    payload: bytes
    retained: bool
    correlation: bytes | None = None


@dataclass(slots=True)
class Counts:
    """What has happened to the link so far."""

    connected: int = 0
    dropped_events: int = 0
    dropped_replies: int = 0
    flooded: int = 0
    faults: int = 0


class Outbox:
    """The queue of messages to be published. The session fills it and the link empties it, maybe in another thread.

    :param counts: where it counts what is dropped.
    """

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._kept: dict[str, Post] = {}
        self._unsent: dict[str, Post] = {}
        self._replies: deque[Post] = deque()
        self._first_replies: deque[Post] = deque()
        self._stream: deque[Post] = deque()
        self._lock = threading.Lock()

    def keep(self, post: Post) -> None:
        """Add what its topic retains, instead of what it retained before."""
        with self._lock:
            self._kept[post.topic] = self._unsent[post.topic] = post

    def reply(self, post: Post, *, first: bool) -> bool:
        """Add what somebody waits for, before all other replies if it is `first`; say whether there was room."""
        queue = self._first_replies if first else self._replies
        with self._lock:
            if len(queue) >= REPLIES_KEPT:
                self._counts.dropped_replies += 1
                return False
            queue.append(post)
            return True

    def stream(self, post: Post, *, connected: bool) -> bool:
        """Add what is worthless if late; say whether there was a connection and room."""
        with self._lock:
            if not connected or len(self._stream) >= STREAM_KEPT:
                self._counts.dropped_events += 1
                return False
            self._stream.append(post)
            return True

    def drop_stream(self) -> None:
        """Drop what has been streamed and is late now."""
        with self._lock:
            self._counts.dropped_events += len(self._stream)
            self._stream.clear()

    def keep_again(self) -> None:
        """Send everything that is retained once more: the connection is new."""
        with self._lock:
            self._unsent = dict(self._kept)

    def next_batch(self) -> list[Post]:
        """Take what goes next: what is retained, then replies, then the stream."""
        with self._lock:
            if self._unsent:
                posts, self._unsent = list(self._unsent.values()), {}
                return posts
            queue = self._first_replies or self._replies or self._stream
            return [queue.popleft() for _ in range(min(BATCH, len(queue)))]

    def owed(self) -> tuple[Post, ...]:
        """Return what is still to be published before the link ends: all but the stream."""
        with self._lock:
            return (*self._unsent.values(), *self._first_replies, *self._replies)

    def count_lost(self, post: Post) -> None:
        """Count a post that did not arrive; what is retained goes out again on the next connection."""
        if post.retain:
            return
        with self._lock:
            if post.qos:
                self._counts.dropped_replies += 1
            else:
                self._counts.dropped_events += 1


class Inbox(asyncio.Queue[aiomqtt.Message]):
    """The queue of messages that came in; what comes too fast, or finds no room, is dropped unread.

    It lets messages in as fast as requests are allowed to come: more would be refused anyway.

    :param buckets: the limit of each topic that has one of its own, and under "" that of all others together: so a
        flood on one topic does not keep others out.
    :param own: topics that we publish ourselves: a message on one of these that is dropped is not counted as lost.
    """

    def __init__(self, counts: Counts, buckets: Mapping[str, Bucket], own: Sequence[str]) -> None:
        super().__init__(INBOX_KEPT * len(buckets))
        self._counts = counts
        self._buckets = buckets
        self._own = own

    def put_nowait(self, item: aiomqtt.Message) -> None:
        """Take in a message, or drop and count it."""
        bucket = self._buckets.get(str(item.topic)) or self._buckets[""]
        if self.full() or not bucket.take(time.monotonic()):
            self._counts.flooded += str(item.topic) not in self._own
        else:
            super().put_nowait(item)
