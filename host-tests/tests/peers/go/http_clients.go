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

// How long a client waits for 100 (Continue) before it sends the content anyway.
const expectTimeout = 5 * time.Second

var allHTTPCases = []string{
	"get", "post", "download", "download-steps", "download-slow", "upload", "cancel", "cancel-beside", "refuse", "early",
	"echo-tiny", "echo-big", "expect", "soak",
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
	withPing := append([]string{"ping"}, allHTTPCases...)
	// x/net's transport never waits for 100 (Continue).
	withoutExpect := slices.DeleteFunc(slices.Clone(withPing), func(name string) bool { return name == "expect" })
	return []clientPeer{
		{"go-nethttp", "default", allHTTPCases, over(func() http.RoundTripper { return transport(nil) })},
		{"go-nethttp", "awkward", withPing, over(func() http.RoundTripper { return transport(small) })},
		{"go-nethttp", "large", allHTTPCases, over(func() http.RoundTripper { return transport(large) })},
		{"go-xnet", "default", withoutExpect[1:], over(func() http.RoundTripper { return xnetTransport() })},
		{"go-xnet", "awkward", withoutExpect, over(func() http.RoundTripper {
			transport := xnetTransport()
			transport.MaxReadFrameSize = 1<<24 - 1
			transport.MaxDecoderHeaderTableSize = 1
			transport.ReadIdleTimeout = 5 * time.Millisecond
			return transport
		})},
		{"go-reverseproxy", "default", allHTTPCases, throughProxy},
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
		return httpCases()[name](&httpCase{a, client})
	}
}

// Runs cases through httputil's proxy, which stands before the server.
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
	return over(func() http.RoundTripper { return transport(nil) })(a, name)
}
