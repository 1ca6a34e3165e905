"""Calls the example grpc-server: greeter.py ADDRESS."""

import asyncio
import sys
from pathlib import Path

import grpc

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "examples/grpc-server/proto"))
greeter, services = grpc.protos_and_services("greeter.proto")

CALLS = 1000


def same(got, wanted):
    if got != wanted:
        raise AssertionError(f"{got!r} instead of {wanted!r}")


async def main(address):
    async with grpc.aio.insecure_channel(address) as channel:
        stub = services.GreeterStub(channel)
        names = [f"number {number}" for number in range(CALLS)]
        greetings = await asyncio.gather(*(stub.Greet(greeter.Person(name=name)) for name in names))
        same([greeting.text for greeting in greetings], [f"Hello, {name}!" for name in names])

        call = stub.GreetEach()
        for name in "Ada", "Grace":
            await call.write(greeter.Person(name=name))
            # Before the request ends.
            same((await call.read()).text, f"Hello, {name}!")
        await call.done_writing()
        same(await call.read(), grpc.aio.EOF)
        same(await call.code(), grpc.StatusCode.OK)

        try:
            await stub.Greet(greeter.Person())
            raise AssertionError("a person without a name was greeted")
        except grpc.aio.AioRpcError as error:
            same(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
            same(error.details(), "a person needs a name")


asyncio.run(main(sys.argv[1]))
