"""A broker in Python (amqtt), run as `python -m tests.embedded_broker PORT`: for machines without mosquitto.

It speaks MQTT 3.1.1 only, so it also stands for brokers that know no other version.
"""

import asyncio
import sys

from amqtt.broker import Broker


async def serve(port: int) -> None:
    """Let anybody in, on the loopback interface, until killed."""
    listener = {"type": "tcp", "bind": f"127.0.0.1:{port}"}
    plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    broker = Broker({"listeners": {"default": listener}, "plugins": plugins})
    await broker.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
