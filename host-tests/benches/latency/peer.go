// Go's net/http. Arguments: "serve"; or a case, a URL and the number of round trips, each of which prints a line with
// its time in microseconds.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

var content = []byte("hello")

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func protocols() *http.Protocols {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return protocols
}

func serve() {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello\n") })
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		buffer := make([]byte, 65536)
		for {
			n, err := r.Body.Read(buffer)
			w.Write(buffer[:n])
			if err != nil {
				return
			}
			w.(http.Flusher).Flush()
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Printf("listening on http://%s\n", listener.Addr())
	server := &http.Server{Handler: mux, Protocols: protocols()}
	must(server.Serve(listener))
}

func exchange(client *http.Client, method, url string, body io.Reader) {
	request, err := http.NewRequest(method, url, body)
	must(err)
	response, err := client.Do(request)
	must(err)
	_, err = io.Copy(io.Discard, response.Body)
	must(err)
	response.Body.Close()
}

func timed(count int, round func()) {
	for range count {
		began := time.Now()
		round()
		fmt.Println(time.Since(began).Microseconds())
	}
}

func pingPong(client *http.Client, url string, count int) {
	body, writer := io.Pipe()
	request, err := http.NewRequestWithContext(context.Background(), "POST", url, body)
	must(err)
	responses := make(chan *http.Response)
	go func() {
		response, err := client.Do(request)
		must(err)
		responses <- response
	}()
	var response *http.Response
	buffer := make([]byte, len(content))
	timed(count, func() {
		writer.Write(content)
		if response == nil {
			response = <-responses
		}
		_, err := io.ReadFull(response.Body, buffer)
		must(err)
	})
	writer.Close()
}

func main() {
	if os.Args[1] == "serve" {
		serve()
	}
	client := &http.Client{Transport: &http.Transport{Protocols: protocols()}}
	url := os.Args[2]
	count, err := strconv.Atoi(os.Args[3])
	must(err)
	switch os.Args[1] {
	case "get":
		timed(count, func() { exchange(client, "GET", url, nil) })
	case "post":
		timed(count, func() { exchange(client, "POST", url, bytes.NewReader(content)) })
	case "ping-pong":
		pingPong(client, url, count)
	}
}
