

def shown(message):
    return f"#{message.number} {len(message.content)} bytes {sum(message.content) % 65521}"


def pairs(metadata):
    return sorted((name, value) for name, value in metadata or () if name.startswith(("x-", "grpc-status-details")))


async def outcome(call):
    try:
        message = await call
        return f"{shown(message)} {pairs(await call.initial_metadata())} {pairs(await call.trailing_metadata())}"
    except grpc.aio.AioRpcError as error:
        return f"{error.code()} {error.details()!r} {pairs(error.trailing_metadata())}"


async def outcomes(call):
    messages = []
    try:
        async for message in call:
            messages.append(shown(message))
    except grpc.aio.AioRpcError as error:
        messages.append(f"{error.code()} {error.details()!r}")
    return f"{messages} {pairs(await call.initial_metadata())} {pairs(await call.trailing_metadata())}"


async def main(address):
    async with grpc.aio.insecure_channel(address, OPTIONS) as channel:
        coders = {"request_serializer": encode, "response_deserializer": decode}
        unary = channel.unary_unary(PATH + "Unary", **coders)
        upload = channel.stream_unary(PATH + "Upload", **coders)
        download = channel.unary_stream(PATH + "Download", **coders)
        both = channel.stream_stream(PATH + "Both", **coders)

        for size in 0, 1, 16_384, 70_000, 5_000_000:
            message = Message(content=bytes(range(251)) * (size // 251 + 1))
            message.content = message.content[:size]
            print("unary", await outcome(unary(message)))
            print("upload", await outcome(upload(iter([message] * 4))))
            print("download", await outcomes(download(Message(message.content, 5))))
            print("both", await outcomes(both(iter([message] * 4))))

        for code in range(1, 17):
            message = Message(status=code, text=f"status {code} \N{WHITE SMILING FACE}")
            print(await outcome(unary(message)))
            print(await outcomes(both(iter([Message(b"a"), message]))))

        metadata = [("x-echo-ascii", "value"), ("x-echo-ascii", "again"), ("x-echo-bin", b"\0\xff")]
        print("metadata", await outcome(unary(Message(b"a"), metadata=metadata)))
        print("metadata", await outcomes(both(iter([Message(b"a")]), metadata=metadata)))
        failing = Message(b"details", status=9, text="no")
        print("metadata", await outcome(unary(failing, metadata=metadata)))

        gzip = grpc.Compression.Gzip
        print("gzip", await outcome(unary(Message(b"z" * 100_000), compression=gzip)))
        print("gzip", await outcomes(both(iter([Message(b"z" * 100_000)] * 3), compression=gzip)))

        calls = await asyncio.gather(*(outcome(unary(Message(bytes(number)))) for number in range(500)))
        print("concurrent", *calls, sep="\n")

        wait = [("x-wait", "yes")]
        late = await outcome(unary(Message(b"a"), metadata=wait, timeout=0.3))
        # tonic keeps the client's deadline too, and either side may be first.
        print("deadline", late.split()[0] in ("StatusCode.DEADLINE_EXCEEDED", "StatusCode.CANCELLED"))
        call = both()
        for number in range(1000):
            await call.write(Message(b"ping", number))
            assert (await call.read()).number == number
        call.cancel()
        print("cancelled", await call.code())
        print("unknown", await outcome(channel.unary_unary(PATH + "Nothing", **coders)(Message())))
        print("afterwards", await outcome(unary(Message(b"a"))))


asyncio.run(main(sys.argv[1]))
