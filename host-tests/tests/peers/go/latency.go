package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
)

// The size of a message whose round trip is measured, in bytes.
const latencySize = 5

// For the benchmark of latency: runs grpc-go as a server, or prints the microseconds of round trips, one per
// line.
func latency(arguments []string) error {
	switch {
	case len(arguments) == 1 && arguments[0] == "serve":
		return latencyServer()
	case len(arguments) == 3:
		count, err := strconv.Atoi(arguments[2])
		if err != nil {
			return err
		}
		return latencyClient(arguments[0], arguments[1], count)
	}
	return fmt.Errorf("usage: latency serve | latency CASE URL COUNT")
}

func latencyServer() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	return serveGRPC()(listener)
}

func latencyClient(name, url string, count int) error {
	target := strings.TrimPrefix(url, "http://")
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	calls := &grpcGo{testgrpc.NewTestServiceClient(connection)}
	roundTrip := func() error { return calls.unary(context.Background(), latencySize, latencySize) }
	if name == "messages" {
		stream, err := calls.duplex(context.Background())
		if err != nil {
			return err
		}
		roundTrip = func() error {
			if err := stream.send(latencySize); err != nil {
				return err
			}
			_, err := stream.receive()
			return err
		}
	}
	for range count {
		began := time.Now()
		if err := roundTrip(); err != nil {
			return err
		}
		fmt.Println(time.Since(began).Microseconds())
	}
	return nil
}
