package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"connectrpc.com/connect"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
)

func connectClients() []clientPeer {
	cases := []string{"grpc-unary", "grpc-tiny", "grpc-big", "grpc-stream", "grpc-cancel-beside", "grpc-idle"}
	compressed := []string{"grpc-unary", "grpc-tiny", "grpc-big"}
	// connect-go accepts gzip by default; an option compresses the messages it sends.
	small := &http.HTTP2Config{
		MaxReceiveBufferPerConnection: 64 << 10, MaxReceiveBufferPerStream: 4 << 10, SendPingTimeout: 5 * time.Millisecond,
	}
	return []clientPeer{
		{name: "connect-go", config: "default", cases: cases, play: playConnect(nil)},
		{name: "connect-go", config: "awkward", cases: cases, play: playConnect(small)},
		{name: "connect-go", config: "gzip", cases: compressed, play: playConnect(nil, connect.WithSendGzip())},
	}
}

func playConnect(config *http.HTTP2Config, options ...connect.ClientOption) func(*attempt, string) error {
	return func(a *attempt, name string) error {
		client := &http.Client{Transport: transport(config)}
		defer client.CloseIdleConnections()
		options := append([]connect.ClientOption{connect.WithGRPC()}, options...)
		service := a.url + "/grpc.testing.TestService/"
		return grpcCases[name](&grpcCase{a, &connectGo{
			connect.NewClient[testgrpc.SimpleRequest, testgrpc.SimpleResponse](client, service+"UnaryCall", options...),
			connect.NewClient[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse](client, service+"StreamingOutputCall", options...),
			connect.NewClient[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse](client, service+"FullDuplexCall", options...),
		}})
	}
}

// connect-go.
type connectGo struct {
	unaryCall  *connect.Client[testgrpc.SimpleRequest, testgrpc.SimpleResponse]
	streamCall *connect.Client[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse]
	duplexCall *connect.Client[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse]
}

func (c *connectGo) unary(ctx context.Context, sent, received int) error {
	request := &testgrpc.SimpleRequest{ResponseSize: int32(received), Payload: payload(sent)}
	response, err := c.unaryCall.CallUnary(ctx, connect.NewRequest(request))
	if err != nil {
		return err
	}
	if length := len(response.Msg.GetPayload().GetBody()); length != received {
		return fmt.Errorf("%d bytes instead of %d", length, received)
	}
	return nil
}

func (c *connectGo) stream(ctx context.Context, count, size int) (func() (int, error), error) {
	request := &testgrpc.StreamingOutputCallRequest{ResponseParameters: parameters(count, size)}
	stream, err := c.streamCall.CallServerStream(ctx, connect.NewRequest(request))
	if err != nil {
		return nil, err
	}
	return func() (int, error) {
		if !stream.Receive() {
			if err := stream.Err(); err != nil {
				return 0, err
			}
			return 0, io.EOF
		}
		return len(stream.Msg().GetPayload().GetBody()), nil
	}, nil
}

func (c *connectGo) duplex(ctx context.Context) (duplexStream, error) {
	stream := c.duplexCall.CallBidiStream(ctx)
	// net/http looks at the context only once all of the request has been sent.
	context.AfterFunc(ctx, func() {
		stream.CloseRequest()
		stream.CloseResponse()
	})
	return &connectGoStream{stream}, nil
}

type connectGoStream struct {
	stream *connect.BidiStreamForClient[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse]
}

func (s *connectGoStream) send(size int) error {
	return s.stream.Send(&testgrpc.StreamingOutputCallRequest{
		ResponseParameters: parameters(1, size), Payload: payload(size),
	})
}

func (s *connectGoStream) receive() (int, error) {
	response, err := s.stream.Receive()
	if errors.Is(err, io.EOF) {
		return 0, io.EOF
	}
	if err != nil {
		return 0, err
	}
	return len(response.GetPayload().GetBody()), nil
}

func (s *connectGoStream) endSending() error {
	return s.stream.CloseRequest()
}
