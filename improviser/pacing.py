"""How fast is enough: a bucket that lets bursts through and stops floods, and the pauses between attempts."""

MOST_DOUBLINGS = 16


class Bucket:
    """A token bucket: lets `burst` through at once and `rate` a second for ever (Turner, 1986).

    :param rate: tokens a second, > 0.
    :param burst: how many it holds, ≥ 1; it begins full.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._seconds = float("-inf")

    def take(self, seconds: float) -> bool:
        """Take a token at `seconds`, which never go back; say whether there was one."""
        passed = max(0.0, seconds - self._seconds)
        self._tokens = min(self._burst, self._tokens + passed * self._rate)
        self._seconds = max(seconds, self._seconds)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def pause_seconds(attempt: int, chance: float, shortest: float = 0.25, longest: float = 4.0) -> float:
    """Return how long to wait after failed attempt number `attempt` (0, 1, …): twice as long each time, up to a limit.

    :param chance: 0–1, drawn anew each time; it takes up to half away, so that many clients do not come back at once.
    """
    full = min(longest, shortest * 2.0 ** min(attempt, MOST_DOUBLINGS))
    return full * (1 - chance / 2)
