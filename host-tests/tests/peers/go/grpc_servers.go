package main

import (
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/keepalive"
)

// gRPC's test service by grpc-go, whose gzip the import of the clients registers.
func serveGRPC(options ...grpc.ServerOption) func(net.Listener) error {
	server := grpc.NewServer(options...)
	testgrpc.RegisterTestServiceServer(server, interop.NewTestServer())
	return server.Serve
}

func grpcServers() []serverPeer {
	// Connections end after a second.
	brief := grpc.KeepaliveParams(keepalive.ServerParameters{
		MaxConnectionAge: time.Second, MaxConnectionAgeGrace: 10 * time.Second, Time: time.Second,
	})
	cases := []string{"grpc-interop"}
	return []serverPeer{
		{"grpc-go", "default", cases, serveGRPC()},
		{"grpc-go", "awkward", cases, serveGRPC(brief, grpc.MaxConcurrentStreams(1), grpc.WriteBufferSize(0), grpc.ReadBufferSize(0))},
	}
}
