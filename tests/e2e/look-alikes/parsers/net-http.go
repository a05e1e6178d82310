// Prints what Go's net/http makes of raw Cookie headers; the protocol is that of frameworks.py.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"strings"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		request := http.Request{Header: http.Header{}}
		for _, part := range strings.Split(lines.Text(), ",") {
			header, err := hex.DecodeString(part)
			if err != nil {
				panic(err)
			}
			request.Header.Add("Cookie", strings.Trim(string(header), " \t"))
		}
		pairs := [][2]string{}
		for _, cookie := range request.Cookies() {
			pairs = append(pairs, [2]string{cookie.Name, cookie.Value})
		}
		answers.Encode(map[string]any{"go": pairs})
	}
}
