

CODES = {code.value[0]: code for code in grpc.StatusCode}


def end_as_wanted(message, context):
    if message.status:
        # A number that is no code raises an exception.
        context.abort(CODES[message.status], message.text)


def echo_metadata(context):
    wanted = [pair for pair in context.invocation_metadata() if pair[0].startswith("x-echo")]
    if wanted:
        context.send_initial_metadata(wanted)
        context.set_trailing_metadata(wanted)


def unary(request, context):
    echo_metadata(context)
    if any(name == "x-wait" for name, _ in context.invocation_metadata()):
        import threading

        over = threading.Event()
        context.add_callback(over.set)
        over.wait()
    end_as_wanted(request, context)
    return request


def upload(requests, context):
    messages = list(requests)
    return Message(content=b"".join(message.content for message in messages), number=len(messages))


def download(request, context):
    for number in range(request.number):
        yield Message(content=request.content, number=number)
    end_as_wanted(request, context)


def both(requests, context):
    echo_metadata(context)
    for message in requests:
        end_as_wanted(message, context)
        yield message


def main():
    coders = {"request_deserializer": decode, "response_serializer": encode}
    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary, **coders),
        "Upload": grpc.stream_unary_rpc_method_handler(upload, **coders),
        "Download": grpc.unary_stream_rpc_method_handler(download, **coders),
        "Both": grpc.stream_stream_rpc_method_handler(both, **coders),
    }
    server = grpc.server(ThreadPoolExecutor(250), options=OPTIONS)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("proof.Echo", handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"http://127.0.0.1:{port}", flush=True)
    server.wait_for_termination()


main()
