// The driver of Go's implementations of HTTP/2: net/http, x/net, grpc-go, connect-go. README.md in the parent
// folder describes its command line.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// A client in one configuration.
type clientPeer struct {
	name, config string
	cases        []string
	// Runs a case.
	play func(a *attempt, name string) error
	// Omitted cases, with the reasons.
	omitted map[string]string
}

// A server in one configuration.
type serverPeer struct {
	name, config string
	cases        []string
	// Serves until the listener is closed.
	serve func(listener net.Listener) error
}

var (
	clients = append(append(httpClients(), grpcClients()...), connectClients()...)
	servers = append(httpServers(), grpcServers()...)
)

func list() {
	for _, peer := range clients {
		fmt.Println("client", peer.name, peer.config, strings.Join(peer.cases, " "))
		for name, reason := range peer.omitted {
			fmt.Println("omit client", peer.name, peer.config, name, reason)
		}
	}
	for _, peer := range servers {
		fmt.Println("server", peer.name, peer.config, strings.Join(peer.cases, " "))
	}
}

func runClient(arguments []string) error {
	seconds, err := strconv.Atoi(arguments[4])
	if err != nil {
		return err
	}
	atATime, err := strconv.Atoi(arguments[5])
	if err != nil {
		return err
	}
	for _, peer := range clients {
		if peer.name == arguments[0] && peer.config == arguments[1] {
			a := newAttempt(arguments[3], seconds, atATime)
			if err := peer.play(a, arguments[2]); err != nil {
				return err
			}
			fmt.Printf("{\"requests\":%d,\"bytes\":%d,\"connections\":null}\n", a.requests.Load(), a.bytes.Load())
			return nil
		}
	}
	return fmt.Errorf("there is no client %v", arguments[:2])
}

func runServer(arguments []string) error {
	for _, peer := range servers {
		if peer.name == arguments[0] && peer.config == arguments[1] {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			fmt.Println("PORT", listener.Addr().(*net.TCPAddr).Port)
			go func() {
				io.Copy(io.Discard, os.Stdin)
				os.Exit(0)
			}()
			if err := peer.serve(listener); err != http.ErrServerClosed {
				return err
			}
			return nil
		}
	}
	return fmt.Errorf("there is no server %v", arguments[:2])
}

func main() {
	arguments := os.Args[1:]
	var err error
	switch {
	case len(arguments) == 1 && arguments[0] == "list":
		list()
	case len(arguments) == 7 && arguments[0] == "client":
		err = runClient(arguments[1:])
	case len(arguments) == 3 && arguments[0] == "server":
		err = runServer(arguments[1:])
	case len(arguments) > 1 && arguments[0] == "latency":
		err = latency(arguments[1:])
	default:
		err = fmt.Errorf("usage: list | client NAME CONFIG CASE URL SECONDS CONCURRENCY | server NAME CONFIG | latency …")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
