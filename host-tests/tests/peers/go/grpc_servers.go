package main

import (
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/keepalive"
)

func grpcServers() []serverPeer {
	serve := func(options ...grpc.ServerOption) func(net.Listener) error {
		// The import of the clients registers grpc-go's gzip.
		server := grpc.NewServer(options...)
		testgrpc.RegisterTestServiceServer(server, interop.NewTestServer())
		return server.Serve
	}
	// Connections end after a second.
	brief := grpc.KeepaliveParams(keepalive.ServerParameters{
		MaxConnectionAge: time.Second, MaxConnectionAgeGrace: 10 * time.Second, Time: time.Second,
	})
	cases := []string{"grpc-interop"}
	return []serverPeer{
		{"grpc-go", "default", cases, serve()},
		{"grpc-go", "awkward", cases, serve(brief, grpc.MaxConcurrentStreams(1), grpc.WriteBufferSize(0), grpc.ReadBufferSize(0))},
	}
}
