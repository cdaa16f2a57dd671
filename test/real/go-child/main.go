// A small multi-lang child in Go, with nothing but the standard library: a bolt that splits sentences. It keeps to the
// letter of the protocol where other libraries are lenient (one line of JSON, then a line `end`), writes each message at
// once, and gives its pid before it makes the pid file. With `-ids` it asks for task ids and waits for them after every
// emit, as Storm's own library for Python does; tuples that arrive meanwhile are kept.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A tuple of this size is a mistake in a test; bufio would otherwise read for ever.
const messageBytesMax = 16 << 20

type handshake struct {
	PidDir string `json:"pidDir"`
}

type tuple struct {
	ID     string `json:"id"`
	Stream string `json:"stream"`
	Task   int    `json:"task"`
	Values []any  `json:"tuple"`
}

type child struct {
	in    *bufio.Reader
	ids   bool
	later [][]byte
}

func main() {
	c := &child{in: bufio.NewReaderSize(os.Stdin, 1<<16), ids: len(os.Args) > 1 && os.Args[1] == "-ids"}
	if err := c.run(); err != nil && err != io.EOF {
		c.send(map[string]any{"command": "error", "msg": err.Error()})
		os.Exit(1)
	}
}

func (c *child) run() error {
	line, err := c.read()
	if err != nil {
		return err
	}
	var setup handshake
	if err := json.Unmarshal(line, &setup); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	c.send(map[string]any{"pid": os.Getpid()})
	file := filepath.Join(setup.PidDir, strconv.Itoa(os.Getpid()))
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		return err
	}
	for {
		line, err := c.next()
		if err != nil {
			return err
		}
		var t tuple
		if err := json.Unmarshal(line, &t); err != nil {
			return fmt.Errorf("tuple: %w", err)
		}
		if err := c.process(t); err != nil {
			return err
		}
	}
}

func (c *child) process(t tuple) error {
	if t.Task == -1 && t.Stream == "__heartbeat" {
		c.send(map[string]any{"command": "sync"})
		return nil
	}
	sentence := ""
	if len(t.Values) == 1 {
		sentence, _ = t.Values[0].(string)
	}
	if sentence == "" {
		c.send(map[string]any{"command": "fail", "id": t.ID})
		return nil
	}
	for _, word := range strings.Fields(sentence) {
		c.send(map[string]any{
			"command": "emit", "anchors": []string{t.ID}, "tuple": []string{word}, "need_task_ids": c.ids,
		})
		if err := c.awaitIDs(); err != nil {
			return err
		}
	}
	c.send(map[string]any{"command": "ack", "id": t.ID})
	return nil
}

func (c *child) awaitIDs() error {
	for c.ids {
		line, err := c.read()
		if err != nil {
			return err
		}
		if line[0] == '[' {
			return nil
		}
		c.later = append(c.later, line)
	}
	return nil
}

// next returns the next tuple: one that came between task ids, or a new one.
func (c *child) next() ([]byte, error) {
	if len(c.later) > 0 {
		line := c.later[0]
		c.later = c.later[1:]
		return line, nil
	}
	return c.read()
}

func (c *child) read() ([]byte, error) {
	line, err := c.in.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	end, err := c.in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	if end != "end\n" || len(line) < 2 || len(line) > messageBytesMax {
		return nil, fmt.Errorf("expected one line of JSON and a line `end`, got %.80q and %.80q", line, end)
	}
	return line, nil
}

// send writes one message in one system call. Nobody is left to hear of a failure.
func (c *child) send(message any) {
	text, err := json.Marshal(message)
	if err != nil {
		panic(err)
	}
	if _, err := os.Stdout.Write(append(text, "\nend\n"...)); err != nil {
		os.Exit(1)
	}
}
