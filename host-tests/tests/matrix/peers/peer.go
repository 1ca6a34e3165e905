// Go's net/http with x/net/http2. Arguments: "serve" and a folder, or the case and the URL of our server.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func check(holds bool, what ...any) {
	if !holds {
		panic(fmt.Sprint(what...))
	}
}

func serve(folder string) {
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(folder)))
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(w, r.Body)
	})
	mux.HandleFunc("/hints", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload; as=style")
		w.WriteHeader(103)
		io.WriteString(w, "hinted\n")
	})
	mux.HandleFunc("/trailers", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Check")
		io.WriteString(w, "with trailers\n")
		w.Header().Set("X-Check", "sum")
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	// Shutdown does not wait for connections that h2c has taken over, so wait for them here.
	var running sync.WaitGroup
	counted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		running.Add(1)
		defer running.Done()
		mux.ServeHTTP(w, r)
	})
	http2Server := &http2.Server{}
	connections := h2c.NewHandler(counted, http2Server)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		running.Add(1)
		defer running.Done()
		connections.ServeHTTP(w, r)
	})}
	must(http2.ConfigureServer(server, http2Server))
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	stopped := make(chan struct{})
	go func() {
		<-stop
		server.Shutdown(context.Background())
		close(stopped)
	}()
	fmt.Printf("listening on http://%s\n", listener.Addr())
	server.Serve(listener)
	<-stopped
	running.Wait()
}

type client struct {
	http.Client
	url string
}

func (c *client) do(request *http.Request) (*http.Response, []byte) {
	response, err := c.Do(request)
	must(err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	must(err)
	check(response.StatusCode == 200 && response.ProtoMajor == 2, response)
	return response, content
}

func (c *client) request(method, path string, content io.Reader) *http.Request {
	request, err := http.NewRequest(method, c.url+path, content)
	must(err)
	return request
}

func (c *client) get(path string) []byte {
	_, content := c.do(c.request("GET", path, nil))
	return content
}

func (c *client) cancel() {
	ctx, cancel := context.WithCancel(context.Background())
	response, err := c.Do(c.request("GET", "/bytes/1000000000000", nil).WithContext(ctx))
	must(err)
	_, err = io.ReadFull(response.Body, make([]byte, 1000))
	must(err)
	cancel()
	response.Body.Close()
	c.get("/")
}

func (c *client) shutdown() {
	response, err := c.Do(c.request("GET", "/bytes/100000000", nil))
	must(err)
	_, err = io.ReadFull(response.Body, make([]byte, 1000))
	must(err)
	fmt.Println("started")
	rest, err := io.Copy(io.Discard, response.Body)
	must(err)
	check(rest == 100_000_000-1000, rest)
}

func (c *client) run(name string) {
	switch name {
	case "get":
		check(bytes.HasPrefix(c.get("/"), []byte("Hello")))
	case "head":
		response, content := c.do(c.request("HEAD", "/bytes/1000", nil))
		check(response.ContentLength == 1000 && len(content) == 0, response)
	case "download":
		content := c.get(fmt.Sprint("/bytes/", 1<<24))
		check(bytes.Equal(content, make([]byte, 1<<24)), len(content))
	case "upload":
		content := make([]byte, 1<<24)
		rand.Read(content)
		_, echo := c.do(c.request("POST", "/echo", bytes.NewReader(content)))
		check(bytes.Equal(echo, content), len(echo))
	case "trailers":
		// The length is unknown, because trailers follow.
		request := c.request("POST", "/echo", io.MultiReader(bytes.NewReader([]byte("content"))))
		request.Trailer = http.Header{"X-Check": {"sum"}}
		response, _ := c.do(request)
		check(response.Trailer.Get("X-Check") == "sum", response.Trailer)
	case "informational":
		var seen []int
		trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
			seen = append(seen, code)
			return nil
		}}
		request := c.request("GET", "/early-hints", nil)
		c.do(request.WithContext(httptrace.WithClientTrace(request.Context(), trace)))
		check(len(seen) == 1 && seen[0] == 103, seen)
	case "at-once":
		var all sync.WaitGroup
		for number := 0; number < 100; number++ {
			all.Add(1)
			go func(number int) {
				defer all.Done()
				content := c.get(fmt.Sprint("/bytes/", number))
				check(len(content) == number, number, len(content))
			}(number)
		}
		all.Wait()
	case "cancel":
		c.cancel()
	case "shutdown":
		c.shutdown()
	default:
		panic(name)
	}
}

func main() {
	if os.Args[1] == "serve" {
		serve(os.Args[2])
		return
	}
	transport := &http2.Transport{AllowHTTP: true, DialTLS: func(network, addr string, _ *tls.Config) (net.Conn, error) {
		return net.Dial(network, addr)
	}}
	c := &client{http.Client{Transport: transport}, os.Args[2]}
	c.run(os.Args[1])
	transport.CloseIdleConnections()
	fmt.Println("ok")
}
