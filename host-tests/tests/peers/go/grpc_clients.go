package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// Calls to gRPC's test service, by any library.
type grpcCalls interface {
	// Makes a call with a payload, and expects a response of this size.
	unary(ctx context.Context, sent, received int) error
	// Makes a call that requests this many messages of this size; next returns the size of each.
	stream(ctx context.Context, count, size int) (next func() (int, error), err error)
	// Makes a call with messages in both directions, each of which requests one of the same size.
	duplex(ctx context.Context) (duplexStream, error)
}

type duplexStream interface {
	send(size int) error
	// Returns the size of the next message, or io.EOF after the last one.
	receive() (int, error)
	endSending() error
}

// A case of gRPC.
type grpcCase struct {
	*attempt
	calls grpcCalls
}

var grpcCases = map[string]func(c *grpcCase) error{
	"grpc-unary":         (*grpcCase).unary,
	"grpc-tiny":          func(c *grpcCase) error { return c.duplex(c.atATime, 100, 100) },
	"grpc-big":           func(c *grpcCase) error { return c.duplex(2, 1<<20, 8) },
	"grpc-stream":        (*grpcCase).stream,
	"grpc-cancel-beside": (*grpcCase).cancelBeside,
	"grpc-idle":          (*grpcCase).idle,
}

func (c *grpcCase) unary() error {
	return c.atOnce(c.atATime, 10, func(number int) error {
		c.requests.Add(1)
		return c.calls.unary(context.Background(), 100*number, 100)
	})
}

// Exchanges messages of this size in both directions, first one by one, then with many in flight.
func (c *grpcCase) duplex(streams, size, count int) error {
	return c.atOnce(streams, 1, func(int) error {
		stream, err := c.calls.duplex(context.Background())
		if err != nil {
			return err
		}
		receive := func() error {
			received, err := stream.receive()
			if err == nil && received != size {
				err = fmt.Errorf("%d bytes instead of %d", received, size)
			}
			c.bytes.Add(int64(2 * received))
			return err
		}
		for range count {
			if err := stream.send(size); err != nil {
				return err
			}
			if err := receive(); err != nil {
				return err
			}
		}
		failed := make(chan error, 1)
		go func() {
			for range count {
				if err := stream.send(size); err != nil {
					failed <- err
					return
				}
			}
			failed <- stream.endSending()
		}()
		for range count {
			if err := receive(); err != nil {
				return err
			}
		}
		if err := <-failed; err != nil {
			return err
		}
		if size, err := stream.receive(); err != io.EOF {
			return fmt.Errorf("%d bytes and %v instead of the end", size, err)
		}
		c.requests.Add(1)
		return nil
	})
}

// Reads a response of many messages of 1 KB.
func (c *grpcCase) stream() error {
	count := int(c.size(16_000, 150_000))
	return c.repeat(func() error {
		next, err := c.calls.stream(context.Background(), count, 1_000)
		if err != nil {
			return err
		}
		received := 0
		for {
			size, err := next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return fmt.Errorf("after %d messages: %w", received, err)
			}
			if size != 1_000 {
				return fmt.Errorf("%d bytes instead of 1,000", size)
			}
			received++
			c.bytes.Add(int64(size))
		}
		if received != count {
			return fmt.Errorf("%d messages instead of %d", received, count)
		}
		c.requests.Add(1)
		return nil
	})
}

// Keeps one long stream of messages open, while 280 calls per second are cancelled after their first message.
func (c *grpcCase) cancelBeside() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	long, err := c.calls.duplex(ctx)
	if err != nil {
		return err
	}
	began, end := time.Now(), time.Now().Add(c.lasting())
	var over atomic.Bool
	others := make(chan error, 1)
	go func() {
		others <- atRate(280, &over, func() error {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			stream, err := c.calls.duplex(ctx)
			if err == nil {
				err = stream.send(1_000)
			}
			if err == nil {
				_, err = stream.receive()
			}
			if err == nil {
				c.requests.Add(1)
			}
			return err
		})
	}()
	for time.Now().Before(end) && err == nil {
		if err = long.send(100); err == nil {
			_, err = long.receive()
		}
		time.Sleep(10 * time.Millisecond)
	}
	over.Store(true)
	if err != nil {
		return fmt.Errorf("the long stream after %v and %d cancelled calls: %w", time.Since(began), c.requests.Load(), err)
	}
	if err := <-others; err != nil {
		return fmt.Errorf("a call beside the long stream: %w", err)
	}
	return nil
}

// Keeps the connection without calls as long as time permits, beside a stream without messages; calls must
// work afterwards.
func (c *grpcCase) idle() error {
	stream, err := c.calls.duplex(context.Background())
	if err != nil {
		return err
	}
	if err := c.calls.unary(context.Background(), 1, 1); err != nil {
		return err
	}
	time.Sleep(c.lasting() / 2)
	if err := stream.send(1); err != nil {
		return err
	}
	if _, err := stream.receive(); err != nil {
		return err
	}
	if err := stream.endSending(); err != nil {
		return err
	}
	time.Sleep(c.lasting() / 2)
	c.requests.Add(3)
	return c.calls.unary(context.Background(), 1, 1)
}

func grpcClients() []clientPeer {
	cases := []string{"grpc-unary", "grpc-tiny", "grpc-big", "grpc-stream", "grpc-cancel-beside", "grpc-idle", "grpc-interop"}
	// grpc-go allows at most one PING every ten seconds.
	ping := grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 5 * time.Second, PermitWithoutStream: true})
	small := []grpc.DialOption{
		ping,
		grpc.WithStaticStreamWindowSize(1), grpc.WithStaticConnWindowSize(1), // the library raises it to 64 KiB
		grpc.WithReadBufferSize(0), grpc.WithWriteBufferSize(0),
		grpc.WithMaxHeaderListSize(1 << 14),
	}
	large := []grpc.DialOption{ping, grpc.WithStaticStreamWindowSize(1 << 30), grpc.WithStaticConnWindowSize(1 << 30)}
	compressed := []grpc.DialOption{grpc.WithDefaultCallOptions(grpc.UseCompressor(gzip.Name))}
	return []clientPeer{
		{name: "grpc-go", config: "default", cases: cases, play: playGRPC(nil)},
		{name: "grpc-go", config: "awkward", cases: cases, play: playGRPC(small)},
		{name: "grpc-go", config: "large", cases: cases, play: playGRPC(large)},
		{name: "grpc-go", config: "gzip", cases: []string{"grpc-unary", "grpc-tiny", "grpc-big"}, play: playGRPC(compressed)},
	}
}

func playGRPC(options []grpc.DialOption) func(*attempt, string) error {
	return func(a *attempt, name string) error {
		target := strings.TrimPrefix(a.url, "http://")
		receive := grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1 << 30))
		plain := grpc.WithTransportCredentials(insecure.NewCredentials())
		connection, err := grpc.NewClient(target, append([]grpc.DialOption{plain, receive}, options...)...)
		if err != nil {
			return err
		}
		defer connection.Close()
		if name == "grpc-interop" {
			return a.repeat(func() error { return interoperate(a, connection) })
		}
		return grpcCases[name](&grpcCase{a, &grpcGo{testgrpc.NewTestServiceClient(connection)}})
	}
}

// The cases of the official client, except those for credentials and balancing. They end the process when
// they fail.
func interoperate(a *attempt, connection *grpc.ClientConn) error {
	ctx, client := context.Background(), testgrpc.NewTestServiceClient(connection)
	cases := []func(context.Context, testgrpc.TestServiceClient, ...grpc.CallOption){
		interop.DoEmptyUnaryCall,
		interop.DoLargeUnaryCall,
		interop.DoClientStreaming,
		interop.DoServerStreaming,
		interop.DoPingPong,
		interop.DoEmptyStream,
		interop.DoTimeoutOnSleepingServer,
		interop.DoCancelAfterBegin,
		interop.DoCancelAfterFirstResponse,
		interop.DoCustomMetadata,
		interop.DoStatusCodeAndMessage,
		interop.DoSpecialStatusMessage,
	}
	for _, run := range cases {
		run(ctx, client)
	}
	interop.DoUnimplementedMethod(ctx, connection)
	interop.DoUnimplementedService(ctx, testgrpc.NewUnimplementedServiceClient(connection))
	a.requests.Add(int64(len(cases)) + 2)
	return nil
}

// grpc-go.
type grpcGo struct {
	client testgrpc.TestServiceClient
}

func payload(size int) *testgrpc.Payload {
	return &testgrpc.Payload{Body: make([]byte, size)}
}

func parameters(count, size int) []*testgrpc.ResponseParameters {
	parameters := make([]*testgrpc.ResponseParameters, count)
	for index := range parameters {
		parameters[index] = &testgrpc.ResponseParameters{Size: int32(size)}
	}
	return parameters
}

func (g *grpcGo) unary(ctx context.Context, sent, received int) error {
	request := &testgrpc.SimpleRequest{ResponseSize: int32(received), Payload: payload(sent)}
	response, err := g.client.UnaryCall(ctx, request)
	if err == nil && len(response.GetPayload().GetBody()) != received {
		err = status.Errorf(codes.DataLoss, "%d bytes instead of %d", len(response.GetPayload().GetBody()), received)
	}
	return err
}

func (g *grpcGo) stream(ctx context.Context, count, size int) (func() (int, error), error) {
	request := &testgrpc.StreamingOutputCallRequest{ResponseParameters: parameters(count, size)}
	stream, err := g.client.StreamingOutputCall(ctx, request)
	if err != nil {
		return nil, err
	}
	return func() (int, error) {
		response, err := stream.Recv()
		return len(response.GetPayload().GetBody()), err
	}, nil
}

func (g *grpcGo) duplex(ctx context.Context) (duplexStream, error) {
	stream, err := g.client.FullDuplexCall(ctx)
	return &grpcGoStream{stream}, err
}

type grpcGoStream struct {
	stream grpc.BidiStreamingClient[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse]
}

func (s *grpcGoStream) send(size int) error {
	return s.stream.Send(&testgrpc.StreamingOutputCallRequest{
		ResponseParameters: parameters(1, size), Payload: payload(size),
	})
}

func (s *grpcGoStream) receive() (int, error) {
	response, err := s.stream.Recv()
	return len(response.GetPayload().GetBody()), err
}

func (s *grpcGoStream) endSending() error {
	return s.stream.CloseSend()
}
