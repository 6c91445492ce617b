// Command generate prints the JSON form of an OpenFGA model file (schema 1.1): indented, keys sorted, so that equal models
// are equal bytes. A syntax error is printed with its place, and the exit code is 1.
//
//	go -C deploy/openfga/generate run . ../model.fga > deploy/openfga/model.json
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/openfga/language/pkg/go/transformer"
)

func run(path string) error {
	source, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	compact, err := transformer.TransformDSLToJSON(string(source))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	// protojson varies its spacing on purpose; decoding and encoding again makes the bytes stable.
	var model any
	if err := json.Unmarshal([]byte(compact), &model); err != nil {
		return err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(model); err != nil {
		return err
	}
	_, err = os.Stdout.Write(out.Bytes())
	return err
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: generate MODEL.fga > MODEL.json")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
