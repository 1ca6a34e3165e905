// Package export_wasi_cli_run sends a GET request over HTTP/2, and prints the status and the content of the response.
package export_wasi_cli_run

import (
	"fmt"
	"os"
	"strconv"

	wit "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/http2_engine_connection"
	"wit_component/http2_engine_over_tcp"
	"wit_component/http2_engine_types"
)

// forever is the timeout of a call that waits as long as it takes.
var forever = wit.None[uint64]()

// Run is the export of the component.
func Run() wit.Result[wit.Unit, wit.Unit] {
	if err := get(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return wit.Err[wit.Unit](wit.Unit{})
	}
	return wit.Ok[wit.Unit, wit.Unit](wit.Unit{})
}

func get(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("usage: go-client HOST PORT PATH")
	}
	host, path := args[0], args[2]
	port, err := strconv.ParseUint(args[1], 10, 16)
	if err != nil {
		return err
	}
	options := wit.None[*http2_engine_connection.Options]()
	connection, err := check(http2_engine_over_tcp.Dial(host, uint16(port), options, forever))
	if err != nil {
		return err
	}
	stream, err := check(connection.OpenStream(http2_engine_types.RequestHead{
		Method:        http2_engine_types.MakeMethodGet(),
		Scheme:        wit.Some(http2_engine_types.MakeSchemeHttp()),
		Authority:     wit.Some(fmt.Sprintf("%s:%d", host, port)),
		PathWithQuery: wit.Some(path),
	}, true))
	if err != nil {
		return err
	}
	response, err := check(stream.BlockingResponse(forever))
	if err != nil {
		return err
	}
	fmt.Println("status", response.Status)
	for {
		content, err := check(stream.BlockingReadData(65536, forever))
		if err != nil || content.IsNone() {
			return err
		}
		os.Stdout.Write(content.Some())
	}
}

// check turns a result of the component model into those of Go.
func check[T any](result wit.Result[T, http2_engine_types.Error]) (value T, err error) {
	if result.IsErr() {
		return value, fmt.Errorf("%s", result.Err().Message)
	}
	return result.Ok(), nil
}
