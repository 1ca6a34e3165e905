package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c"
)

func httpServers() []serverPeer {
	cases := []string{"get", "post", "download", "upload", "cancel", "refuse", "early"}
	// With a decoder table or windows smaller than the protocol's initial ones, Go's server disconnects clients
	// that have not received its settings yet, including Go's own client.
	small := &http.HTTP2Config{
		MaxConcurrentStreams:          10,
		MaxEncoderHeaderTableSize:     1,
		MaxReadFrameSize:              16 << 10,
		MaxReceiveBufferPerConnection: 64 << 10,
		MaxReceiveBufferPerStream:     64 << 10,
		SendPingTimeout:               5 * time.Millisecond,
	}
	large := &http.HTTP2Config{
		MaxConcurrentStreams:          100_000,
		MaxDecoderHeaderTableSize:     1 << 20,
		MaxEncoderHeaderTableSize:     1 << 20,
		MaxReadFrameSize:              1<<24 - 1,
		MaxReceiveBufferPerConnection: 1 << 30,
		MaxReceiveBufferPerStream:     1 << 30,
	}
	serve := func(config *http.HTTP2Config, read reader) func(net.Listener) error {
		return httpServer(config, routes(read)).Serve
	}
	xnet := h2c.NewHandler(routes(readByCopy), &http2.Server{})
	return []serverPeer{
		{"go-nethttp", "default", cases, serve(nil, readByCopy)},
		{"go-nethttp", "awkward", cases, serve(small, readByBytes)},
		{"go-nethttp", "large", cases, serve(large, readByBytes)},
		{"go-nethttp", "slow", []string{"upload"}, serve(nil, readSlowly)},
		{"go-nethttp", "one-stream", []string{"one-stream", "post"}, serve(&http.HTTP2Config{MaxConcurrentStreams: 1}, readByCopy)},
		{"go-nethttp", "shutdown", []string{"shutdown"}, serveAndShutDown},
		{"go-xnet", "default", cases, (&http.Server{Handler: xnet}).Serve},
	}
}

func httpServer(config *http.HTTP2Config, handler http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{Handler: handler, Protocols: protocols, HTTP2: config}
}

// Reads the content of a request to its end, and returns its length.
type reader func(content io.Reader) (int64, error)

func readByCopy(content io.Reader) (int64, error) {
	return io.Copy(io.Discard, content)
}

func readByBytes(content io.Reader) (int64, error) {
	buffered, count := bufio.NewReader(content), int64(0)
	for {
		if _, err := buffered.ReadByte(); err == io.EOF {
			return count, nil
		} else if err != nil {
			return count, err
		}
		count++
	}
}

func readSlowly(content io.Reader) (int64, error) {
	count, buffer := int64(0), make([]byte, 64<<10)
	for {
		more, err := content.Read(buffer)
		if count += int64(more); err == io.EOF {
			return count, nil
		} else if err != nil {
			return count, err
		}
		time.Sleep(time.Millisecond)
	}
}

func routes(read reader) http.Handler {
	mux := http.NewServeMux()
	count := func(w http.ResponseWriter, r *http.Request) {
		count, err := read(r.Body)
		if err != nil {
			http.Error(w, err.Error(), 400)
			return
		}
		fmt.Fprintln(w, count)
	}
	mux.HandleFunc("/upload", count)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			count(w, r)
			return
		}
		io.WriteString(w, "Hello from Go.\n")
	})
	mux.HandleFunc("/bytes/{count}", func(w http.ResponseWriter, r *http.Request) {
		count, _ := strconv.ParseInt(r.PathValue("count"), 10, 64)
		w.Header().Set("Content-Length", fmt.Sprint(count))
		io.CopyN(w, zeros{}, count)
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		controller := http.NewResponseController(w)
		controller.Flush()
		buffer := make([]byte, 32<<10)
		for {
			count, err := r.Body.Read(buffer)
			w.Write(buffer[:count])
			controller.Flush()
			if err != nil {
				break
			}
		}
		for name, values := range r.Trailer {
			w.Header()[http.TrailerPrefix+name] = values
		}
	})
	mux.HandleFunc("/delay/{milliseconds}", func(w http.ResponseWriter, r *http.Request) {
		milliseconds, _ := strconv.Atoi(r.PathValue("milliseconds"))
		select {
		case <-time.After(time.Duration(milliseconds) * time.Millisecond):
			io.WriteString(w, "that took a while\n")
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/refuse", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "not for you", 401)
	})
	mux.HandleFunc("/early", func(w http.ResponseWriter, r *http.Request) {
		w.Write(make([]byte, 10_000))
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for content := make([]byte, 16<<10); ; {
			if _, err := w.Write(content); err != nil {
				return
			}
		}
	})
	return mux
}

// A listener that servers can close without ending the listening.
type sharedListener struct {
	net.Listener
	connections <-chan net.Conn
	closed      chan struct{}
}

func (l *sharedListener) Accept() (net.Conn, error) {
	select {
	case connection := <-l.connections:
		return connection, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *sharedListener) Close() error {
	close(l.closed)
	return nil
}

// Serves with one server after another, each of which is shut down after a while.
func serveAndShutDown(listener net.Listener) error {
	connections := make(chan net.Conn)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			connections <- connection
		}
	}()
	for {
		server := httpServer(nil, routes(readByCopy))
		go server.Serve(&sharedListener{listener, connections, make(chan struct{})})
		time.Sleep(300 * time.Millisecond)
		go server.Shutdown(context.Background())
	}
}
