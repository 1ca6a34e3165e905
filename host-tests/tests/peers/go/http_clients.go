package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"time"

	"golang.org/x/net/http2"
)

// The time that a client waits for 100 (Continue) before it sends the content anyway.
const expectTimeout = 5 * time.Second

var allHTTPCases = []string{
	"get", "post", "download", "download-steps", "download-slow", "upload", "cancel", "cancel-beside", "refuse", "early",
	"echo-tiny", "echo-big", "expect", "soak",
}

// All cases except the named ones.
func without(names ...string) []string {
	return slices.DeleteFunc(slices.Clone(allHTTPCases), func(name string) bool { return slices.Contains(names, name) })
}

func httpClients() []clientPeer {
	// PINGs after each short silence; the smallest windows, frames and tables.
	small := &http.HTTP2Config{
		MaxDecoderHeaderTableSize:     1,
		MaxEncoderHeaderTableSize:     1,
		MaxReadFrameSize:              16 << 10,
		MaxReceiveBufferPerConnection: 64 << 10,
		MaxReceiveBufferPerStream:     4 << 10,
		SendPingTimeout:               5 * time.Millisecond,
	}
	large := &http.HTTP2Config{
		MaxDecoderHeaderTableSize:     1 << 20,
		MaxEncoderHeaderTableSize:     1 << 20,
		MaxReadFrameSize:              1<<24 - 1,
		MaxReceiveBufferPerConnection: 1 << 30,
		MaxReceiveBufferPerStream:     1 << 30,
	}
	// x/net's transport never waits for 100 (Continue).
	xnet := without("expect")
	return []clientPeer{
		{name: "go-nethttp", config: "default", cases: allHTTPCases, play: over(func() http.RoundTripper { return transport(nil) })},
		{name: "go-nethttp", config: "awkward", cases: append(without(), "ping"), play: over(func() http.RoundTripper { return transport(small) })},
		{name: "go-nethttp", config: "large", cases: allHTTPCases, play: over(func() http.RoundTripper { return transport(large) })},
		{name: "go-xnet", config: "default", cases: xnet, play: over(func() http.RoundTripper { return xnetTransport() })},
		{name: "go-xnet", config: "awkward", cases: append(xnet, "ping"), play: over(func() http.RoundTripper {
			transport := xnetTransport()
			transport.MaxReadFrameSize = 1<<24 - 1
			transport.MaxDecoderHeaderTableSize = 1
			transport.ReadIdleTimeout = 5 * time.Millisecond
			return transport
		})},
		{
			name: "go-reverseproxy", config: "default", cases: without("refuse"), play: throughProxy,
			omitted: map[string]string{"refuse": "the proxy hangs at 10 uploads at a time, also before a server of net/http"},
		},
	}
}

// net/http's transport, with prior knowledge.
func transport(config *http.HTTP2Config) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Transport{Protocols: protocols, HTTP2: config, ExpectContinueTimeout: expectTimeout}
}

// x/net's transport, with prior knowledge.
func xnetTransport() *http2.Transport {
	return &http2.Transport{
		AllowHTTP: true,
		DialTLSContext: func(ctx context.Context, network, address string, _ *tls.Config) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
}

// Runs cases over a transport.
func over(transport func() http.RoundTripper) func(*attempt, string) error {
	return func(a *attempt, name string) error {
		client := &http.Client{Transport: transport()}
		defer client.CloseIdleConnections()
		return httpCases()[name](&httpCase{a, client, without("expect", "soak")})
	}
}

// Runs cases through httputil's proxy in front of the server.
func throughProxy(a *attempt, name string) error {
	target, err := url.Parse(a.url)
	if err != nil {
		return err
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = transport(nil)
	proxy.FlushInterval = -1
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := httpServer(nil, proxy)
	go server.Serve(listener)
	defer server.Close()
	a.url = "http://" + listener.Addr().String()
	client := &http.Client{Transport: transport(nil)}
	defer client.CloseIdleConnections()
	return httpCases()[name](&httpCase{a, client, without("expect", "soak", "refuse")})
}
