package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// A client with net/http's API, in a case.
type httpCase struct {
	*attempt
	client *http.Client
	// The cases that soak combines.
	parts []string
}

func httpCases() map[string]func(c *httpCase) error {
	return map[string]func(c *httpCase) error{
		"get":            (*httpCase).get,
		"post":           (*httpCase).post,
		"download":       func(c *httpCase) error { return c.repeat(func() error { return c.downloadBy(32 << 10) }) },
		"download-steps": (*httpCase).downloadSteps,
		"download-slow":  (*httpCase).downloadSlow,
		"upload":         (*httpCase).upload,
		"cancel":         (*httpCase).cancel,
		"cancel-beside":  (*httpCase).cancelBeside,
		"refuse":         func(c *httpCase) error { return c.early("/refuse", 401) },
		"early":          func(c *httpCase) error { return c.early("/early", 200) },
		"echo-tiny":      func(c *httpCase) error { return c.echo(100, 1_000) },
		"echo-big":       func(c *httpCase) error { return c.echo(1<<20, 16) },
		"expect":         (*httpCase).expect,
		"ping":           (*httpCase).ping,
		"soak":           (*httpCase).soak,
	}
}

// Sends a request, and checks the status of its response.
func (c *httpCase) send(request *http.Request, status int) (*http.Response, error) {
	response, err := c.client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != status || response.ProtoMajor != 2 {
		response.Body.Close()
		return nil, fmt.Errorf("%s %s: %s %s instead of %d", request.Method, request.URL, response.Proto, response.Status, status)
	}
	return response, nil
}

// Sends a request, and reads the whole response.
func (c *httpCase) exchange(request *http.Request, status int) ([]byte, error) {
	response, err := c.send(request, status)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("%s %s after %d bytes: %w", request.Method, request.URL, len(content), err)
	}
	c.requests.Add(1)
	c.bytes.Add(int64(len(content)) + max(request.ContentLength, 0))
	return content, nil
}

func (c *httpCase) request(method, path string, content io.Reader) *http.Request {
	request, err := http.NewRequest(method, c.url+path, content)
	if err != nil {
		panic(err)
	}
	return request
}

func (c *httpCase) getOnce() error {
	content, err := c.exchange(c.request("GET", "/", nil), 200)
	if err == nil && !bytes.HasPrefix(content, []byte("Hello")) {
		err = fmt.Errorf("GET / answers %q", content)
	}
	return err
}

func (c *httpCase) get() error {
	return c.atOnce(c.atATime, 10, func(int) error { return c.getOnce() })
}

func (c *httpCase) post() error {
	return c.atOnce(c.atATime, 10, func(int) error {
		content, err := c.exchange(c.request("POST", "/echo", strings.NewReader("hello")), 200)
		if err == nil && string(content) != "hello" {
			err = fmt.Errorf("the echo of hello is %q", content)
		}
		return err
	})
}

// Reads a response with a function, and checks its length.
func (c *httpCase) download(read func(io.Reader) (int64, error)) error {
	size := c.size(16_000_000, 200_000_000)
	response, err := c.send(c.request("GET", fmt.Sprint("/bytes/", size), nil), 200)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	count, err := read(response.Body)
	if err != nil {
		return fmt.Errorf("after %d of %d bytes: %w", count, size, err)
	}
	if count != size {
		return fmt.Errorf("%d bytes instead of %d", count, size)
	}
	c.requests.Add(1)
	c.bytes.Add(count)
	return nil
}

// Reads this many bytes at a time, without a buffer in between.
func (c *httpCase) downloadBy(step int) error {
	return c.download(func(body io.Reader) (int64, error) {
		// Hide the body's other methods.
		return io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{body}, make([]byte, step))
	})
}

func (c *httpCase) downloadSteps() error {
	return c.repeat(func() error {
		byByte := c.download(func(body io.Reader) (int64, error) {
			buffered, count := bufio.NewReader(body), int64(0)
			for {
				if _, err := buffered.ReadByte(); err == io.EOF {
					return count, nil
				} else if err != nil {
					return count, err
				}
				count++
			}
		})
		if byByte != nil {
			return fmt.Errorf("byte for byte through bufio: %w", byByte)
		}
		for _, step := range []int{512, 4 << 10} {
			if err := c.downloadBy(step); err != nil {
				return fmt.Errorf("by %d bytes: %w", step, err)
			}
		}
		return nil
	})
}

func (c *httpCase) downloadSlow() error {
	pause, long := 50*time.Millisecond, 20*time.Second
	if c.brief {
		pause, long = 10*time.Millisecond, time.Second
	}
	return c.repeat(func() error {
		return c.download(func(body io.Reader) (int64, error) {
			count := int64(0)
			for {
				more, err := io.CopyN(io.Discard, body, 1<<20)
				if count == 0 {
					time.Sleep(long)
				}
				if count += more; err == io.EOF {
					return count, nil
				} else if err != nil {
					return count, err
				}
				time.Sleep(pause)
			}
		})
	})
}

func (c *httpCase) upload() error {
	size, path := c.size(16_000_000, 100_000_000), c.uploadPath()
	return c.repeat(func() error {
		request := c.request("POST", path, io.LimitReader(zeros{}, size))
		request.ContentLength = size
		content, err := c.exchange(request, 200)
		if err == nil && !strings.Contains(string(content), fmt.Sprint(size)) {
			err = fmt.Errorf("%q instead of %d bytes", content, size)
		}
		return err
	})
}

// The path at which the server counts the content of a request.
func (c *httpCase) uploadPath() string {
	if _, err := c.exchange(c.request("POST", "/upload", strings.NewReader("hello")), 200); err != nil {
		return "/"
	}
	return "/upload"
}

// Endless zeros.
type zeros struct{}

func (zeros) Read(buffer []byte) (int, error) {
	clear(buffer)
	return len(buffer), nil
}

// Begins a request, and cancels it after its first content, or after a delay.
func (c *httpCase) cancelOne(path string, after time.Duration) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	timer := time.AfterFunc(after, cancel)
	defer timer.Stop()
	response, err := c.send(c.request("GET", path, nil).WithContext(ctx), 200)
	if err == nil {
		_, err = io.CopyN(io.Discard, response.Body, 100)
		cancel()
		response.Body.Close()
	}
	// A short response may have ended earlier.
	if err != nil && err != io.EOF && !errors.Is(err, context.Canceled) {
		return err
	}
	c.requests.Add(1)
	return nil
}

func (c *httpCase) cancel() error {
	kinds := []struct {
		path  string
		after time.Duration
	}{
		{"/endless", time.Second},
		{"/delay/10000", 200 * time.Millisecond},
		// Cancellations and responses cross in flight.
		{"/delay/20", 20 * time.Millisecond},
		{"/", time.Millisecond},
	}
	return c.repeat(func() error {
		for _, kind := range kinds {
			for _, count := range []int{100, 1_000} {
				err := together(count, func(int) error { return c.cancelOne(kind.path, kind.after) })
				if err == nil {
					err = c.getOnce()
				}
				if err != nil {
					return fmt.Errorf("%d cancelled requests for %s: %w", count, kind.path, err)
				}
			}
		}
		return nil
	})
}

func (c *httpCase) cancelBeside() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	response, err := c.send(c.request("GET", "/endless", nil).WithContext(ctx), 200)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	began, end := time.Now(), time.Now().Add(c.lasting())
	var over atomic.Bool
	others := make(chan error, 1)
	go func() {
		others <- atRate(300, &over, func() error { return c.cancelOne("/delay/10000", 20*time.Millisecond) })
	}()
	for time.Now().Before(end) && err == nil {
		_, err = io.CopyN(io.Discard, response.Body, 16<<10)
		time.Sleep(2 * time.Millisecond)
	}
	if err != nil {
		err = fmt.Errorf("the long stream after %v and %d cancelled ones: %w", time.Since(began), c.requests.Load(), err)
	}
	over.Store(true)
	return errors.Join(err, <-others)
}

// Begins work this many times per second until it is over, and waits for all of it to end.
func atRate(rate int, over *atomic.Bool, work func() error) error {
	ticks := time.NewTicker(time.Second / time.Duration(rate))
	defer ticks.Stop()
	failures, count := make(chan error), 0
	for !over.Load() {
		<-ticks.C
		count++
		go func() { failures <- work() }()
	}
	var first error
	for range count {
		if err := <-failures; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Makes uploads that are answered before they end; every other one can be sent again.
func (c *httpCase) early(path string, status int) error {
	content := make([]byte, 1_000_000)
	return c.atOnce(c.atATime, 5, func(number int) error {
		request := c.request("POST", path, bytes.NewReader(content))
		if number%2 == 1 {
			request = c.request("POST", path, struct{ io.Reader }{bytes.NewReader(content)})
			request.ContentLength = int64(len(content))
		}
		received, err := c.exchange(request, status)
		if err != nil {
			return fmt.Errorf("with GetBody %v: %w", request.GetBody != nil, err)
		}
		if status == 200 && len(received) != 10_000 {
			return fmt.Errorf("%d bytes instead of 10,000", len(received))
		}
		return nil
	})
}

// Exchanges messages on one stream, first one by one, then with several in flight.
func (c *httpCase) echo(size, count int) error {
	return c.repeat(func() error {
		reader, writer := io.Pipe()
		response, err := c.send(c.request("POST", "/echo", reader), 200)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		sent, received := make([]byte, size), make([]byte, size)
		receive := func(number int) error {
			if _, err := io.ReadFull(response.Body, received); err != nil {
				return fmt.Errorf("message %d: %w", number, err)
			}
			if first := received[0]; first != byte(number) || received[size-1] != first {
				return fmt.Errorf("message %d comes back as %d", number, first)
			}
			c.requests.Add(1)
			c.bytes.Add(int64(2 * size))
			return nil
		}
		send := func(number int) error {
			sent[0], sent[size-1] = byte(number), byte(number)
			_, err := writer.Write(sent)
			return err
		}
		for number := range count {
			failed := make(chan error, 1)
			go func() { failed <- send(number) }()
			if err := receive(number); err != nil {
				return err
			}
			if err := <-failed; err != nil {
				return err
			}
		}
		failed := make(chan error, 1)
		go func() {
			var err error
			for number := 0; number < count && err == nil; number++ {
				err = send(number)
			}
			failed <- errors.Join(err, writer.Close())
		}()
		for number := range count {
			if err := receive(number); err != nil {
				return err
			}
		}
		if err := <-failed; err != nil {
			return err
		}
		if rest, err := io.Copy(io.Discard, response.Body); rest != 0 || err != nil {
			return fmt.Errorf("%d bytes at the end: %v", rest, err)
		}
		return nil
	})
}

// Makes uploads that wait for 100 (Continue); without it, the client would wait for expectTimeout.
func (c *httpCase) expect() error {
	path := c.uploadPath()
	return c.atOnce(c.atATime, 3, func(int) error {
		request := c.request("POST", path, bytes.NewReader(make([]byte, 10_000)))
		request.Header.Set("Expect", "100-continue")
		began := time.Now()
		content, err := c.exchange(request, 200)
		if took := time.Since(began); err == nil && took >= expectTimeout {
			err = fmt.Errorf("the upload took %v, as long as without 100 (Continue)", took)
		}
		if err == nil && !strings.Contains(string(content), "10000") {
			err = fmt.Errorf("%q instead of 10,000 bytes", content)
		}
		return err
	})
}

// Makes requests with pauses, in which the transport sends PINGs.
func (c *httpCase) ping() error {
	return c.atOnce(c.atATime, 5, func(int) error {
		_, err := c.exchange(c.request("GET", "/delay/50", nil), 200)
		return err
	})
}

// Runs all cases in turn, two at a time.
func (c *httpCase) soak() error {
	var next atomic.Int64
	return c.atOnce(2, 1, func(int) error {
		name := c.parts[int(next.Add(1))%len(c.parts)]
		brief := &httpCase{newAttempt(c.url, 0, c.atATime), c.client, nil}
		err := httpCases()[name](brief)
		c.requests.Add(brief.requests.Load())
		c.bytes.Add(brief.bytes.Load())
		if err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
		return err
	})
}
